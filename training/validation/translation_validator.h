#pragma once
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "data/data_config.h"
#include "data/vocabulary/vocabulary.h"
#include "inference/metrics/metric.h"
#include "inference/metrics/tokenize.h"
#include "inference/translator.h"
#include "layers/block_hooks.h"
#include "parallel/lines.h"
#include "parallel/mesh.h"
#include "parallel/progress.h"

namespace weft {

/// The metrics of `validation.valid_metrics` that judge translations: bleu, chrf.
bool judges_translations(const std::string& metric);

/// The search of validation: decoding as configured, but one output a sentence, nothing drawn and nothing aligned, so that scores are of
/// the model and not of the layout. The memory plan and the validation both make it here.
SearchProblem validation_search(Generator&, const DecodingConfig&, SpecialIds target, std::int64_t source_vocab_size,
                                std::int64_t model_max_length);

/// What to translate during validation, and how.
struct TranslationValidation {
  const Vocabulary& source;
  const Vocabulary& target;
  ParallelText text;  // the held-out lines, also those that were dropped from the data set
  DecodingConfig decoding;
  std::int64_t max_length = 0;       // model.max_length, end token included
  std::vector<std::string> metrics;  // those that judge translations
  BleuTokenizer tokenizer = BleuTokenizer::k13a;
  std::string folder;  // RUN/valid: step-000000005000.txt has the translations of that step
};

/// Translates the held-out text with the model that is being trained, lines dealt to the data-parallel ranks by length, and scores it on
/// rank 0.
class TranslationValidator {
 public:
  /// Reads the text. The vocabularies outlive the validator.
  TranslationValidator(const Mesh&, const TranslationValidation&, const SearchProblem&);

  /// Scores in the order of `metrics`, the same on every rank; NaN where the model gives no numbers. ctx.training is false; every block is
  /// acquired meanwhile. `progress` moves for the watchdog. Returns `warning` on rank 0: no numbers, or translations that could not be
  /// written. All ranks ask `stop`, which answers the same on each, before every group of lines; nothing is returned once it says so.
  struct Result {
    std::vector<MetricScore> scores;
    std::string warning;
  };
  std::optional<Result> run(Context&, std::int64_t step, Progress&, const std::function<bool()>& stop) const;

  /// On rank 0: why BLEU would say little about this text; empty: it does not, or is not asked for.
  std::string doubt() const;

 private:
  Lines share(std::size_t begin) const;
  Lines collect(const Lines& own) const;
  std::string write(std::int64_t step, std::span<const std::string> translations) const;

  const Mesh& mesh_;
  Control& control_;
  TranslationValidation config_;
  Translator translator_;
  std::vector<std::string> lines_;
  std::vector<Metric> metrics_;         // rank 0
  std::vector<References> references_;  // rank 0
  std::vector<std::size_t> order_;      // longest line first
};

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/vocabulary/vocabulary.h"
#include "inference/alignment.h"
#include "inference/encode_line.h"
#include "inference/search/search_problem.h"
#include "runtime/context.h"

namespace weft {

/// One output of a line. Tokens end in eos, which gives no text; of an empty line there are none.
struct Translation {
  std::string text;                  // as_one_line
  std::vector<std::int32_t> source;  // the tokens of the line
  std::vector<std::int32_t> tokens;  // of the output
  std::vector<double> token_log_probs;
  double log_prob = 0;  // their sum
  double score = 0;     // log_prob over the length penalty
  Alignment alignment;  // where the problem asks for it; of an empty line none
};

/// Lines of text in, for each of them its n_best translations out, in the same order.
class Translator {
 public:
  /// The vocabularies must outlive the translator. `max_source_length` counts the end token.
  Translator(const SearchProblem&, const Vocabulary& source, const Vocabulary& target, std::int64_t max_source_length);

  /// Best first. The translations of a line without words, n_best of them, are empty. Broken UTF-8 is repaired and a line that is too long
  /// is cropped, each with a warning that names its number: the first of `lines` is `first_number`. What is sampled depends on the number
  /// too.
  std::vector<std::vector<Translation>> translate(Context&, std::span<const std::string> lines, std::int64_t first_number,
                                                  const Warn&) const;

 private:
  SearchProblem problem_;
  const Vocabulary& source_;
  const Vocabulary& target_;
  std::int64_t max_source_length_;
};

/// The search that a configuration asks for. `model_max_length` counts the end token. The seed of sampling stays to be set.
SearchProblem make_search_problem(Generator&, const DecodingConfig&, SpecialIds target, std::int64_t source_vocab_size,
                                  std::int64_t model_max_length);
SearchProblem make_search_problem(Generator&, const DecodingConfig&, const Vocabulary& source, const Vocabulary& target,
                                  std::int64_t model_max_length);

}  // namespace weft

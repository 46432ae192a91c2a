#include "training/validation/translation_validator.h"

#include <algorithm>
#include <cerrno>
#include <cmath>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "inference/metrics/bleu.h"
#include "inference/metrics/chrf.h"
#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft {
namespace {

constexpr std::size_t kLinesTogether = 64;  // of a rank, between two looks at whether to stop

Metric metric_named(const std::string& name, BleuTokenizer tokenizer) {
  if (name == "bleu") return bleu_metric(tokenizer);
  if (name == "chrf") return chrf_metric();
  fail(name + " does not judge translations");
}

std::vector<std::string> read_lines(const std::string& path) {
  std::vector<std::string> lines;
  LineReader reader(path);
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

Json to_json(const std::vector<MetricScore>& scores) {
  Json json = Json::array();
  for (const MetricScore& score : scores) {
    json.push_back(Json::object().set("metric", score.metric).set("score", score.score).set("signature", score.signature));
  }
  return json;
}

std::vector<MetricScore> scores_from(const Json& json) {
  std::vector<MetricScore> scores;
  for (const Json& entry : json.as_array()) {
    scores.push_back({entry.at("metric").as_string(), entry.at("score").as_double(), entry.at("signature").as_string()});
  }
  return scores;
}

}  // namespace

bool judges_translations(const std::string& metric) {
  return metric == "bleu" || metric == "chrf";
}

SearchProblem validation_search(Generator& generator, const DecodingConfig& configured, SpecialIds target, std::int64_t source_vocab_size,
                                std::int64_t model_max_length) {
  DecodingConfig decoding = configured;
  decoding.n_best = 1;
  decoding.sample = false;
  decoding.alignment = PrintedAlignment::kNone;
  return make_search_problem(generator, decoding, target, source_vocab_size, model_max_length);
}

TranslationValidator::TranslationValidator(const Mesh& mesh, const TranslationValidation& config, const SearchProblem& problem)
    : mesh_(mesh),
      control_(*mesh.control),
      config_(config),
      translator_(problem, config.source, config.target, config.max_length),
      lines_(read_lines(config.text.src)),
      order_(lines_.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::stable_sort(order_, std::ranges::greater{}, [&](std::size_t i) { return lines_[i].size(); });
  if (control_.rank() != 0) return;
  for (const std::string& name : config_.metrics) metrics_.push_back(metric_named(name, config_.tokenizer));
  for (std::string& line : read_lines(config.text.tgt)) references_.push_back({std::move(line)});
}

/// This rank's lines of the group that begins at `begin`. A group is dealt line by line to one data-parallel rank after another; ranks that
/// share the model's matrices translate the same lines.
Lines TranslationValidator::share(std::size_t begin) const {
  const auto rank = static_cast<std::size_t>(mesh_.dp->rank()), ranks = static_cast<std::size_t>(mesh_.dp->size());
  Lines lines;
  for (std::size_t i = begin + rank; i < std::min(begin + kLinesTogether * ranks, order_.size()); i += ranks) {
    lines.push_back(lines_[order_[i]]);
  }
  return lines;
}

/// On rank 0 the translations of all lines, in their order; `own`: those of this rank.
Lines TranslationValidator::collect(const Lines& own) const {
  const std::vector<Lines> of_ranks = gather_lines(control_, mesh_.tp->rank() == 0 ? own : Lines());
  Lines translations(control_.rank() == 0 ? lines_.size() : 0);
  const auto shares = static_cast<std::size_t>(mesh_.dp->size()), tp = static_cast<std::size_t>(mesh_.tp->size());
  for (std::size_t i = 0; i < translations.size(); ++i) translations[order_[i]] = of_ranks[i % shares * tp][i / shares];
  return translations;
}

std::optional<TranslationValidator::Result> TranslationValidator::run(Context& ctx, std::int64_t step, Progress& progress,
                                                                      const std::function<bool()>& stop) const {
  Lines own;
  std::string trouble;
  for (std::size_t begin = 0; begin < order_.size(); begin += kLinesTogether * static_cast<std::size_t>(mesh_.dp->size())) {
    if (stop()) return std::nullopt;
    ++progress.pass;
    const Lines lines = share(begin);
    if (!trouble.empty() || lines.empty()) continue;
    try {
      for (const std::vector<Translation>& best : translator_.translate(ctx, lines, 1, [](const std::string&) {})) {
        own.push_back(best.front().text);
      }
    } catch (const Error& error) {
      if (error.code() != ExitCode::kNumerics) throw;
      trouble = error.what();
    }
  }
  const bool finite = control_.agree({trouble.empty() ? 0 : 1})[0] == 0;
  const Lines translations = finite ? collect(own) : Lines();
  Result result;
  if (control_.rank() == 0) {
    for (const Metric& metric : metrics_) {
      result.scores.push_back(finite ? corpus_score(metric, translations, references_)
                                     : MetricScore{metric.name, std::nan(""), metric.signature(reference_count(references_))});
    }
    result.warning = finite ? write(step, translations) : fmt::format("step {}: nothing is translated: {}", step, trouble);
  }
  const std::string text = control_.broadcast(to_json(result.scores).dump(), 0);
  result.scores = scores_from(Json::parse(text, "the scores of rank 0"));
  return result;
}

std::string TranslationValidator::doubt() const {
  const bool bleu = std::ranges::any_of(config_.metrics, [](const std::string& name) { return name == "bleu"; });
  return bleu ? words_not_found(config_.tokenizer, references_) : "";
}

std::string TranslationValidator::write(std::int64_t step, std::span<const std::string> translations) const {
  std::error_code error;
  std::filesystem::create_directories(config_.folder, error);
  const std::string path = fmt::format("{}/step-{:012}.txt", config_.folder, step);
  std::ofstream file(path, std::ios::trunc);
  for (const std::string& line : translations) file << line << '\n';
  file.close();
  return file ? "" : fmt::format("{} could not be written: {}", path, std::strerror(errno));
}

}  // namespace weft

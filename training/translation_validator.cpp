#include "training/translation_validator.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <numeric>

#include <fmt/format.h>

#include "data/text_file.h"
#include "inference/metrics/bleu.h"
#include "inference/metrics/chrf.h"
#include "runtime/error.h"
#include "runtime/json.h"

namespace weft {
namespace {

constexpr std::size_t kLinesTogether = 256;  // between two signs of life

Metric metric_named(const std::string& name) {
  if (name == "bleu") return bleu_metric();
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

TranslationValidator::TranslationValidator(Control& control, const TranslationValidation& config, const SearchProblem& problem)
    : control_(control),
      config_(config),
      translator_(problem, config.source, config.target, config.max_length),
      lines_(read_lines(config.text.src)),
      order_(lines_.size()) {
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  std::ranges::stable_sort(order_, std::ranges::greater{}, [&](std::size_t i) { return lines_[i].size(); });
  if (control.rank() != 0) return;
  for (std::string& line : read_lines(config.text.tgt)) references_.push_back({std::move(line)});
}

/// Every so manyth line of the order, as one text: translations have no line ends inside.
std::vector<std::string> TranslationValidator::translate_share(Context& ctx, Progress& progress) const {
  std::vector<std::string> share, translations;
  for (auto i = static_cast<std::size_t>(control_.rank()); i < order_.size(); i += static_cast<std::size_t>(control_.size())) {
    share.push_back(lines_[order_[i]]);
  }
  for (std::size_t begin = 0; begin < share.size(); begin += kLinesTogether) {
    const std::span<const std::string> lines = std::span(share).subspan(begin, std::min(kLinesTogether, share.size() - begin));
    for (std::vector<Translation>& best : translator_.translate(ctx, lines, 1, [](const std::string&) {})) {
      translations.push_back(std::move(best.front().text));
    }
    ++progress.pass;
  }
  return translations;
}

TranslationValidator::Result TranslationValidator::run(Context& ctx, std::int64_t step, Progress& progress) const {
  std::string own;
  for (const std::string& text : translate_share(ctx, progress)) own += text + '\n';
  const std::vector<std::string> shares = control_.gather(std::move(own), 0);
  Result result;
  Json scores = Json::array();
  if (control_.rank() == 0) {
    std::vector<std::string> translations(lines_.size());
    for (std::size_t rank = 0; rank < shares.size(); ++rank) {
      std::size_t at = 0;
      for (std::size_t i = rank; i < order_.size(); i += shares.size()) {
        const std::size_t end = shares[rank].find('\n', at);
        translations[order_[i]] = shares[rank].substr(at, end - at);
        at = end + 1;
      }
    }
    for (const std::string& name : config_.metrics) {
      result.scores.push_back(corpus_score(metric_named(name), translations, references_));
    }
    scores = to_json(result.scores);
    result.warning = write(step, translations);
  }
  const std::string text = control_.broadcast(scores.dump(), 0);
  result.scores = scores_from(Json::parse(text, "the scores of rank 0"));
  return result;
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

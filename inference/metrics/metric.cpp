#include "inference/metrics/metric.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

std::vector<Statistics> sentence_statistics(const Metric& metric, std::span<const std::string> hypotheses,
                                            std::span<const References> references) {
  if (hypotheses.size() != references.size()) {
    fail_input(fmt::format("{}: {} hypotheses, {} sentences with references\n  expected  as many of one as of the other", metric.name,
                           hypotheses.size(), references.size()));
  }
  if (hypotheses.empty()) fail_input(metric.name + ": no sentence to score");
  std::vector<Statistics> statistics;
  statistics.reserve(hypotheses.size());
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    if (references[i].empty()) fail_input(fmt::format("{}: sentence {} has no reference", metric.name, i + 1));
    statistics.push_back(metric.statistics(hypotheses[i], references[i]));
  }
  return statistics;
}

Statistics sum(std::span<const Statistics> sentences) {
  Statistics total(sentences.empty() ? 0 : sentences[0].size(), 0.0);
  for (const Statistics& sentence : sentences) {
    for (std::size_t i = 0; i < total.size(); ++i) total[i] += sentence[i];
  }
  return total;
}

MetricScore corpus_score(const Metric& metric, std::span<const std::string> hypotheses, std::span<const References> references) {
  return {.metric = metric.name,
          .score = metric.score(sum(sentence_statistics(metric, hypotheses, references))),
          .signature = metric.signature(reference_count(references))};
}

std::string reference_count(std::span<const References> references) {
  if (references.empty()) return "0";
  const std::size_t first = references[0].size();
  const bool varies = std::any_of(references.begin(), references.end(), [&](const References& r) { return r.size() != first; });
  return varies ? "var" : std::to_string(first);
}

}  // namespace weft

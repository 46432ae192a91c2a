#pragma once
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The references of one sentence: one or more texts.
using References = std::vector<std::string>;

/// What a metric counts in a sentence. Added up over sentences it gives the score of all of them, which is not the mean of their scores.
using Statistics = std::vector<double>;

/// A metric of translations: text is detokenised UTF-8, scores are in percent.
struct Metric {
  std::string name;  // bleu, chrf, chrf++, ter
  std::function<Statistics(std::string_view hypothesis, const References&)> statistics;
  std::function<double(const Statistics& sum)> score;
  /// As sacreBLEU 2.6 writes it: scores of equal signature are comparable. `references`: how many, or a word for it.
  std::function<std::string(std::string_view references)> signature;
};

struct MetricScore {
  std::string metric;
  double score;
  std::string signature;
};

/// One entry a sentence. Fails (exit 64) unless there are as many sentences of references as hypotheses, each with at least one.
std::vector<Statistics> sentence_statistics(const Metric&, std::span<const std::string> hypotheses, std::span<const References>);
Statistics sum(std::span<const Statistics>);

MetricScore corpus_score(const Metric&, std::span<const std::string> hypotheses, std::span<const References>);

/// "1" where each sentence has one reference, "var" where the number varies.
std::string reference_count(std::span<const References>);

/// What each signature ends in: the version of sacreBLEU whose scores these equal.
inline constexpr std::string_view kSignatureVersion = "version:2.6.0";

}  // namespace weft

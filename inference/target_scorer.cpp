#include "inference/target_scorer.h"

#include <utility>

#include <fmt/format.h>

namespace weft {

TargetScorer::TargetScorer(const SearchProblem& problem, const Vocabulary& source, const Vocabulary& target, std::int64_t max_length)
    : problem_(scoring_problem(problem, max_length)), source_(source), target_(target), max_length_(max_length) {}

std::vector<ScoredPair> TargetScorer::score(Context& ctx, std::span<const LinePair> pairs, std::int64_t first_number,
                                            const Warn& warn) const {
  std::vector<std::vector<std::int32_t>> sources, targets;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::int64_t number = first_number + static_cast<std::int64_t>(i);
    sources.push_back(encode_line(source_, pairs[i].source, max_length_, fmt::format("line {}, source", number), warn));
    sources.back().push_back(source_.special().eos);
    targets.push_back(encode_line(target_, pairs[i].target, max_length_, fmt::format("line {}, target", number), warn));
    targets.back().push_back(target_.special().eos);
  }
  std::vector<std::vector<double>> log_probs = score_targets(ctx, problem_, sources, targets);
  std::vector<ScoredPair> scored;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    scored.push_back({.source = std::move(sources[i]), .target = std::move(targets[i]), .log_probs = std::move(log_probs[i])});
  }
  return scored;
}

}  // namespace weft

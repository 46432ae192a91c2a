#include "inference/target_scorer.h"

#include <fmt/format.h>

namespace weft {

TargetScorer::TargetScorer(const SearchProblem& problem, const Vocabulary& source, const Vocabulary& target, std::int64_t max_length)
    : problem_(scoring_problem(problem, max_length)), source_(source), target_(target), max_length_(max_length) {}

std::vector<std::vector<double>> TargetScorer::score(Context& ctx, std::span<const LinePair> pairs, std::int64_t first_number,
                                                     const Warn& warn) const {
  std::vector<std::vector<std::int32_t>> sources, targets;
  for (std::size_t i = 0; i < pairs.size(); ++i) {
    const std::int64_t number = first_number + static_cast<std::int64_t>(i);
    sources.push_back(encode_line(source_, pairs[i].source, max_length_, fmt::format("line {}, source", number), warn));
    sources.back().push_back(source_.special().eos);
    targets.push_back(encode_line(target_, pairs[i].target, max_length_, fmt::format("line {}, target", number), warn));
    targets.back().push_back(target_.special().eos);
  }
  return score_targets(ctx, problem_, sources, targets);
}

}  // namespace weft

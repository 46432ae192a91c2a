#include "inference/search/hypothesis.h"

#include <algorithm>
#include <cmath>

namespace weft {

void Hypothesis::append(std::int32_t token, double token_log_prob) {
  tokens.push_back(token);
  token_log_probs.push_back(token_log_prob);
  log_prob += token_log_prob;
}

double penalized(double log_prob, std::int64_t length, LengthPenalty penalty, double alpha) {
  const auto n = static_cast<double>(length);
  if (penalty == LengthPenalty::kNone) return log_prob;
  return log_prob / std::pow(penalty == LengthPenalty::kAverage ? n : (5 + n) / 6, alpha);
}

std::vector<Hypothesis> best_of(std::vector<Hypothesis> finished, const SearchProblem& problem) {
  for (Hypothesis& h : finished) {
    h.score = penalized(h.log_prob, static_cast<std::int64_t>(h.tokens.size()), problem.length_penalty, problem.alpha);
  }
  std::stable_sort(finished.begin(), finished.end(), [](const Hypothesis& a, const Hypothesis& b) { return a.score > b.score; });
  finished.resize(std::min(finished.size(), static_cast<std::size_t>(problem.n_best)));
  return finished;
}

}  // namespace weft

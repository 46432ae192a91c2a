#pragma once
#include <cstdint>
#include <vector>

#include "inference/search/search_problem.h"

namespace weft {

/// A finished output. Length and log probability count the end token.
struct Hypothesis {
  std::vector<std::int32_t> tokens;     // without bos, with eos
  std::vector<double> token_log_probs;  // of each token, nats
  double log_prob = 0;                  // their sum
  double score = 0;                     // log_prob over the length penalty

  void append(std::int32_t token, double token_log_prob);
};

/// log_prob of a hypothesis of `length` tokens over its length penalty; see LengthPenalty.
double penalized(double log_prob, std::int64_t length, LengthPenalty, double alpha);

/// Scores the finished outputs of one sentence; the n_best of them, best score first, what is equal in its order.
std::vector<Hypothesis> best_of(std::vector<Hypothesis> finished, const SearchProblem&);

}  // namespace weft

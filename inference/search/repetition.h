#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "runtime/tensor.h"

namespace weft {

/// How an output is kept from saying the same thing again.
struct Repetition {
  std::int64_t ngram = 0;  // no n-gram of this many tokens comes twice; 0: off
  double penalty = 1;      // of the logits of tokens that were said before; 1: off
};

/// The tokens that after `tokens` would complete an n-gram that stands there already; ascending, none twice. n = 0: none.
std::vector<std::int32_t> ends_of_repeated_ngrams(std::span<const std::int32_t> tokens, std::int64_t n);

/// CTRL (Keskar et al. 2019, arXiv:1909.05858): in `logits` (1, V), float or double in host memory, the logit of every token that occurs in
/// `tokens` is divided by the penalty where it is positive and multiplied by it where it is negative, however often it occurs.
void penalize_repetition(const Tensor& logits, std::span<const std::int32_t> tokens, double penalty);

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "inference/search/next_tokens.h"
#include "runtime/tensor.h"

namespace weft {

/// What a token is drawn from: softmax(logits / temperature) of the tokens that may come; of those the top_k most probable (0: all); of
/// those the fewest that together have at least top_p of the probability that is left. Ties go to the lower id. At least one stays.
struct Sampling {
  double temperature = 1;
  std::int64_t top_k = 0;
  double top_p = 1;
  std::uint64_t seed = 1;
};

/// A token to be drawn from a row of the logits: with `uniform` in [0, 1), the first whose cumulated probability exceeds it.
struct Draw {
  std::int64_t row = 0;
  NextRule rule;
  double uniform = 0;
};

/// One token for each draw; its log probability is of the softmax over the whole vocabulary at temperature 1, so that it is the model's
/// own. `logits` (N, V), float or double in host memory. A row whose softmax is not finite fails (exit 78).
std::vector<NextToken> draw_tokens(const Tensor& logits, std::span<const Draw>, const Sampling&, const TokenRules&);

}  // namespace weft

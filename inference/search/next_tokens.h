#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/vocabulary/vocabulary.h"
#include "runtime/tensor.h"

namespace weft {

/// May the end token come next? kForced: nothing else may.
enum class End { kForbidden, kAllowed, kForced };

/// What may come next in one row, on top of `TokenRules`.
struct NextRule {
  End end = End::kAllowed;
  std::vector<std::int32_t> forbidden = {};  // ascending
};

struct NextToken {
  std::int32_t token = -1;
  double log_prob = 0;  // nats, of the softmax over the whole vocabulary
};

/// Which tokens may come next: never bos, unk only with `unk`, none that the rule of the row forbids. Where that leaves nothing, the end
/// token may, whatever its rule, so that every output ends.
struct TokenRules {
  SpecialIds special;
  bool unk = false;

  bool allow(std::int32_t token, const NextRule&) const;
};

/// For each row of `logits` (N, V), float or double in host memory, its most probable tokens among those allowed: (N, count), best first,
/// ties to the lower id; where fewer are allowed the rest has token -1. `rows` (N). A row whose softmax is not finite fails (exit 78).
std::vector<NextToken> most_probable_tokens(const Tensor& logits, std::span<const NextRule> rows, std::int64_t count, const TokenRules&);

/// log p of tokens[i] in row i of `logits`, as above.
std::vector<double> log_probs_of(const Tensor& logits, std::span<const std::int32_t> tokens);

}  // namespace weft

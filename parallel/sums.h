#pragma once
#include <cstdint>
#include <span>

#include "runtime/dtype.h"

namespace weft {

/// Elements begin .. begin + count of each `from`, added in this order, are written to the same place of each `to`:
///   to[k][i] = ((from[0][i] + from[1][i]) + from[2][i]) + ...
/// bfloat16 is summed in float and rounded once. A `to` may be one of `from`. Fails for integers.
struct SumBuffers {
  std::span<std::byte*const> from, to;
};
void sum_in_order(DType, const SumBuffers&, std::int64_t begin, std::int64_t count);

}  // namespace weft

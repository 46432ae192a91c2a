#pragma once
#include <cstdint>

namespace weft {

/// Library primitives that this thread has created so far. A product is cut into pieces of few sizes, so that after a few batches no row
/// count is new: a warm-up test repeats its batches and finds this number unchanged.
std::int64_t matmul_primitives_created();

}  // namespace weft

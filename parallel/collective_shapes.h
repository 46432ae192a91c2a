#pragma once
#include <cstdint>

#include "runtime/tensor.h"

namespace weft {

/// Fail when a verb is handed tensors that it cannot work on: not contiguous, of two dtypes, or of sizes that do not belong together.
void require_contiguous(const char* verb, const Tensor& x);
/// `whole` has `ranks` times the elements of `chunk`.
void require_chunks(const char* verb, const Tensor& whole, const Tensor& chunk, int ranks);
void require_root(const char* verb, int root, int ranks);

/// Elements begin .. end of `elements` that fall to one of `ranks`: equal chunks but for the last ones, cut at whole cache lines.
struct Chunk {
  std::int64_t begin, end;
};
Chunk chunk_of(std::int64_t elements, int rank, int ranks);

/// Does nothing when both are the same place, or there is nothing to copy.
void copy_bytes(std::byte* to, const std::byte* from, std::int64_t bytes);

}  // namespace weft

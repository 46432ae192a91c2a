#include "parallel/collective_shapes.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

void require_contiguous(const char* verb, const Tensor& x) {
  if (!x.contiguous()) fail(fmt::format("{}: {} is not contiguous", verb, describe(x)));
}

void require_chunks(const char* verb, const Tensor& whole, const Tensor& chunk, int ranks) {
  require_contiguous(verb, whole);
  require_contiguous(verb, chunk);
  if (whole.dtype == chunk.dtype && whole.elements() == chunk.elements() * ranks) return;
  fail(fmt::format("{}: {} is not {} times {}", verb, describe(whole), ranks, describe(chunk)));
}

void require_root(const char* verb, int root, int ranks) {
  if (root < 0 || root >= ranks) fail(fmt::format("{}: root {} of {} ranks", verb, root, ranks));
}

Chunk chunk_of(std::int64_t elements, int rank, int ranks) {
  constexpr std::int64_t kLine = 64;  // elements: whole cache lines for every dtype, so that two ranks never write the same one
  const std::int64_t lines = (elements + kLine - 1) / kLine;
  const std::int64_t size = (lines + ranks - 1) / ranks * kLine;
  return {std::min(elements, size * rank), std::min(elements, size * (rank + 1))};
}

void copy_bytes(std::byte* to, const std::byte* from, std::int64_t bytes) {
  if (to != from && bytes > 0) std::memcpy(to, from, static_cast<std::size_t>(bytes));
}

}  // namespace weft

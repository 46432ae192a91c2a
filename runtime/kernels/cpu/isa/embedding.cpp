#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class S>
void forward_row(const EmbeddingForward& a, std::int64_t r) {
  const S* weight = at<S>(a.weight, a.tokens[r] * a.columns);
  const S* position = a.position_table != nullptr ? at<S>(a.position_table, a.positions[r] * a.columns) : nullptr;
  S* y = at<S>(a.y, r * a.columns);
  float sum[kTile];
  std::uint32_t words[kTile];
  for (std::int64_t begin = 0; begin < a.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.columns - begin);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) sum[c] = a.scale * load(weight[begin + c]);
    if (position != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) sum[c] += load(position[begin + c]);
    }
    if (a.dropout.active) {
      row_words(a.dropout, r, begin, count, words);
      const Keep keep(a.dropout);
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) sum[c] *= keep(words[c]);
    }
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(y[begin + c], sum[c]);
  }
}

/// sum += dropout(dy) of one row, columns begin .. begin + count.
template <class S>
void add_gradient(const EmbeddingBackward& a, std::int64_t r, std::int64_t begin, std::int64_t count, float* sum) {
  const S* dy = at<S>(a.dy, r * a.columns + begin);
  if (!a.dropout.active) {
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) sum[c] += load(dy[c]);
    return;
  }
  std::uint32_t words[kTile];
  row_words(a.dropout, r, begin, count, words);
  const Keep keep(a.dropout);
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) sum[c] += load(dy[c]) * keep(words[c]);
}

/// Rows by_token[first .. last) are those of one token.
template <class S>
void add_token(const EmbeddingBackward& a, std::int64_t first, std::int64_t last) {
  float* dweight = a.dweight + a.tokens[a.by_token[first]] * a.columns;
  for (std::int64_t begin = 0; begin < a.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.columns - begin);
    float sum[kTile];
    for (std::int64_t c = 0; c < count; ++c) sum[c] = 0;
    for (std::int64_t i = first; i < last; ++i) add_gradient<S>(a, a.by_token[i], begin, count, sum);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) dweight[begin + c] += a.scale * sum[c];
  }
}

/// A token whose first row stands in a block is summed by who has the block, to its last row: every sum is made by one thread, in one
/// order.
template <class S>
void add_tokens(const EmbeddingBackward& a) {
  constexpr std::int64_t kBlock = 64;
  const std::int64_t blocks = ceil_div(a.rows, kBlock);
#pragma omp parallel for schedule(dynamic, 1) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    std::int64_t first = block * kBlock;
    const std::int64_t end = min(a.rows, first + kBlock);
    const auto token = [&](std::int64_t i) { return a.tokens[a.by_token[i]]; };
    if (first > 0) {
      while (first < end && token(first) == token(first - 1)) ++first;
    }
    while (first < end) {
      std::int64_t last = first + 1;
      while (last < a.rows && token(last) == token(first)) ++last;
      add_token<S>(a, first, last);
      first = last;
    }
  }
}

/// Cut by columns: rows of one position are added in the order of the rows.
template <class S>
void add_positions(const EmbeddingBackward& a) {
  constexpr std::int64_t kColumns = 64;
  const std::int64_t blocks = ceil_div(a.columns, kColumns);
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t begin = block * kColumns, count = min(kColumns, a.columns - begin);
    for (std::int64_t r = 0; r < a.rows; ++r) add_gradient<S>(a, r, begin, count, a.dposition + a.positions[r] * a.columns + begin);
  }
}

template <class S>
void backward(const EmbeddingBackward& a) {
  add_tokens<S>(a);
  if (a.dposition != nullptr) add_positions<S>(a);
}

}  // namespace

void embedding_forward(const EmbeddingForward& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) {
    if (a.storage == Storage::kBFloat16) {
      forward_row<bf16>(a, r);
    } else {
      forward_row<float>(a, r);
    }
  }
}

void embedding_backward(const EmbeddingBackward& a) {
  return a.storage == Storage::kBFloat16 ? backward<bf16>(a) : backward<float>(a);
}

}  // namespace weft::cpu::WEFT_ISA

#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class S>
void forward_row(const EmbeddingForward& a, std::int64_t r) {
  const std::int64_t columns = a.y.columns;
  const std::int64_t token = a.tokens[r] - a.first_token;
  const S* position = a.position_table != nullptr ? at<S>(a.position_table, a.positions[r] * columns) : nullptr;
  S* y = row<S>(a.y, r);
  if (token < 0 || token >= a.num_tokens) {
    for (std::int64_t c = 0; c < columns; ++c) store(y[c], 0.f);
    return;
  }
  const S* weight = at<S>(a.weight, token * columns);
  float sum[kTile];
  for (std::int64_t begin = 0; begin < columns; begin += kTile) {
    const std::int64_t count = min(kTile, columns - begin);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) sum[c] = a.scale * load(weight[begin + c]);
    if (position != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) sum[c] += load(position[begin + c]);
    }
    drop_tile<float, S>(a.dropout, r, begin, count, sum, nullptr, y + begin);
  }
}

/// sum += dropout(dy) of one row, columns begin .. begin + count.
template <class S>
void add_gradient(const EmbeddingBackward& a, std::int64_t r, std::int64_t begin, std::int64_t count, float* sum) {
  drop_tile<S, float>(a.dropout, r, begin, count, row<S>(a.dy, r) + begin, sum, sum);
}

/// Rows by_token[first .. last) are those of one token.
template <class S>
void add_token(const EmbeddingBackward& a, std::int64_t first, std::int64_t last) {
  const std::int64_t token = a.tokens[a.by_token[first]] - a.first_token;
  if (token < 0 || token >= a.num_tokens) return;
  float* dweight = a.dweight + token * a.dy.columns;
  for (std::int64_t begin = 0; begin < a.dy.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.dy.columns - begin);
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
  const std::int64_t blocks = ceil_div(a.dy.rows, kBlock);
#pragma omp parallel for schedule(dynamic, 1) if (a.dy.rows * a.dy.columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    std::int64_t first = block * kBlock;
    const std::int64_t end = min(a.dy.rows, first + kBlock);
    const auto token = [&](std::int64_t i) { return a.tokens[a.by_token[i]]; };
    if (first > 0) {
      while (first < end && token(first) == token(first - 1)) ++first;
    }
    while (first < end) {
      std::int64_t last = first + 1;
      while (last < a.dy.rows && token(last) == token(first)) ++last;
      add_token<S>(a, first, last);
      first = last;
    }
  }
}

/// Cut by columns: rows of one position are added in the order of the rows.
template <class S>
void add_positions(const EmbeddingBackward& a) {
  constexpr std::int64_t kColumns = 64;
  const std::int64_t blocks = ceil_div(a.dy.columns, kColumns);
#pragma omp parallel for schedule(static) if (a.dy.rows * a.dy.columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    const std::int64_t begin = block * kColumns, count = min(kColumns, a.dy.columns - begin);
    for (std::int64_t r = 0; r < a.dy.rows; ++r) add_gradient<S>(a, r, begin, count, a.dposition + a.positions[r] * a.dy.columns + begin);
  }
}

template <class S>
void backward(const EmbeddingBackward& a) {
  add_tokens<S>(a);
  if (a.dposition != nullptr) add_positions<S>(a);
}

}  // namespace

void embedding_forward(const EmbeddingForward& a) {
#pragma omp parallel for schedule(static) if (a.y.rows * a.y.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.y.rows; ++r) {
    if (a.y.storage == Storage::kBFloat16) {
      forward_row<bf16>(a, r);
    } else {
      forward_row<float>(a, r);
    }
  }
}

void embedding_backward(const EmbeddingBackward& a) {
  return a.dy.storage == Storage::kBFloat16 ? backward<bf16>(a) : backward<float>(a);
}

}  // namespace weft::cpu::WEFT_ISA

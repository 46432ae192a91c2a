#include "runtime/kernels/cpu/isa/kernels.h"

namespace weft::cpu::WEFT_ISA {
namespace {

constexpr std::int64_t kBlock = 64;  // rows of one partial sum: cut by the size of the data, never by threads

template <class S>
void sum_columns(const BiasGradient& a) {
  const std::int64_t rows = a.dy.rows, columns = a.dy.columns, blocks = ceil_div(rows, kBlock);
#pragma omp parallel for schedule(static) if (rows * columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    float* sums = a.partials + block * columns;
    for (std::int64_t c = 0; c < columns; ++c) sums[c] = 0;
    const std::int64_t end = min(rows, (block + 1) * kBlock);
    for (std::int64_t r = block * kBlock; r < end; ++r) {
      const S* dy = row<S>(a.dy, r);
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) sums[c] += load(dy[c]);
    }
  }
  for (std::int64_t block = 0; block < blocks; ++block) {
    const float* sums = a.partials + block * columns;
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) a.dbias[c] += sums[c];
  }
}

}  // namespace

void bias_gradient(const BiasGradient& a) {
  return a.dy.storage == Storage::kBFloat16 ? sum_columns<bf16>(a) : sum_columns<float>(a);
}

std::int64_t bias_gradient_partials(std::int64_t rows, std::int64_t columns) {
  return ceil_div(rows, kBlock) * columns;
}

}  // namespace weft::cpu::WEFT_ISA

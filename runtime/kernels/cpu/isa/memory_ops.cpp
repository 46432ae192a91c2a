#include "runtime/kernels/cpu/isa/kernels.h"

namespace weft::cpu::WEFT_ISA {
namespace {

template <class From, class To>
void convert_rows(const Convert& a) {
  const std::int64_t columns = a.x.columns;
#pragma omp parallel for schedule(static) if (a.x.rows * columns > kParallelElements)
  for (std::int64_t r = 0; r < a.x.rows; ++r) {
    const From* x = row<From>(a.x, r);
    To* y = row<To>(a.y, r);
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) store(y[c], load(x[c]));
  }
}

template <class From>
void convert_from(const Convert& a) {
  return a.y.storage == Storage::kBFloat16 ? convert_rows<From, bf16>(a) : convert_rows<From, float>(a);
}

}  // namespace

void convert(const Convert& a) {
  return a.x.storage == Storage::kBFloat16 ? convert_from<bf16>(a) : convert_from<float>(a);
}

}  // namespace weft::cpu::WEFT_ISA

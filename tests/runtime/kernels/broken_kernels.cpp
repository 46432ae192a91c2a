#include "tests/runtime/kernels/broken_kernels.h"

namespace weft::test {
namespace {

template <class T>
void multiply_rows(const Tensor& matrix, float factor) {
  for (std::int64_t r = 0; r < matrix.size(0); ++r) {
    for (T& x : matrix.rows(r, 1).span<T>()) x = static_cast<T>(static_cast<SumType<T>>(x) * factor);
  }
}

}  // namespace

void multiply(const Tensor& x, float factor) {
  if (x.dtype == DType::kFloat64) return multiply_rows<double>(x, factor);
  if (x.dtype == DType::kFloat32) return multiply_rows<float>(x, factor);
  multiply_rows<bfloat16>(x, factor);
}

Tables broken_tables() {
  Tables tables;
  for (auto break_family :
       {break_matmul, break_rows, break_norms, break_embedding, break_attention, break_cross_entropy, break_optimizer, break_memory}) {
    break_family(tables);
  }
  return tables;
}

}  // namespace weft::test

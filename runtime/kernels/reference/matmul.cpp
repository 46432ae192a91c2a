#include <algorithm>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/activation_function.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

/// op(matrix): element (i, j) whether or not it is transposed.
template <class T>
struct Operand {
  Operand(const Tensor& matrix, bool transposed)
      : data(matrix.as<T>()), row_stride(transposed ? 1 : matrix.stride(0)), column_stride(transposed ? matrix.stride(0) : 1) {}
  SumType<T> operator()(std::int64_t i, std::int64_t j) const { return load(data[i * row_stride + j * column_stride]); }

  const T* data;
  std::int64_t row_stride, column_stride;
};

template <class T, class Y>
void multiply(const Matmul& m) {
  using S = SumType<T>;
  const Tensor right = m.packed_b.defined() ? Tensor(m.packed_b.data, m.b.shape, m.b.dtype) : m.b;
  const Operand<T> a(m.a, m.transpose_a), b(right, m.transpose_b);
  const std::int64_t inner = m.a.size(m.transpose_a ? 0 : 1);
  for (std::int64_t i = 0; i < m.y.size(0); ++i) {
    Y* y = row<Y>(m.y, i);
    for (std::int64_t j = 0; j < m.y.size(1); ++j) {
      S sum = 0;
      for (std::int64_t k = 0; k < inner; ++k) sum += a(i, k) * b(k, j);
      if (m.accumulate) {
        y[j] = store<Y>(load(y[j]) + sum);
        continue;
      }
      if (m.bias.defined()) sum += load(m.bias.as<T>()[j]);
      if (m.pre_activation.defined()) row<Y>(m.pre_activation, i)[j] = store<Y>(sum);
      y[j] = store<Y>(activate(m.activation, sum));
    }
  }
}

}  // namespace

void matmul(Context&, const Matmul& m) {
  with_floating(m.a.dtype, [&]<class T>(T) {
    if (m.y.dtype == m.a.dtype) {
      multiply<T, T>(m);
    } else {
      multiply<T, SumType<T>>(m);
    }
  });
}

// b without the gaps between its rows: nothing gained, but what is written for packed weights is held by the reference too.
std::int64_t packed_matmul_bytes(const Tensor& b, bool) {
  return b.shape.elements() * size_of(b.dtype);
}

void pack_matmul(Context&, const PackMatmul& a) {
  const std::int64_t bytes = a.b.size(1) * size_of(a.b.dtype);
  for (std::int64_t r = 0; r < a.b.size(0); ++r)
    std::copy_n(a.b.data + r * a.b.stride(0) * size_of(a.b.dtype), bytes, a.packed.data + r * bytes);
}

}  // namespace weft::kernels::reference

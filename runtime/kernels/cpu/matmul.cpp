#include "runtime/kernels/cpu/matmul.h"

#include <omp.h>

#include <cstring>

#include "runtime/kernels/cpu/isa_arguments.h"
#include "runtime/kernels/cpu/product.h"

namespace weft::cpu {
namespace {

using kernels::Matmul;

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/// The parts of the workspace: copies in float of what a product cannot take as it is, then its own scratch.
class Workspace {
 public:
  explicit Workspace(std::byte* begin) : begin_(begin) {}
  Tensor copy_of(const Tensor& tensor) {
    const Tensor copy(rest(), tensor.shape, DType::kFloat32);
    used_ += aligned(copy.bytes());
    return copy;
  }
  std::int64_t used() const { return used_; }
  std::byte* rest() const { return begin_ == nullptr ? nullptr : begin_ + used_; }

 private:
  std::byte* begin_;  // null: only the sizes are asked for
  std::int64_t used_ = 0;
};

/// bf16 is widened where it is not multiplied as it is; a bf16 result is summed in float where the rows are cut over the inner extent.
bool widens_inputs(const Products& products, const Matmul& m) {
  return m.a.dtype == DType::kBFloat16 && !products.multiply_bf16();
}
bool widens_output(const Products& products, const Matmul& m) {
  return m.y.dtype == DType::kBFloat16 && (m.transpose_a || widens_inputs(products, m));
}

/// Not where backward needs what stood before the activation.
bool relu_in_product(const Matmul& m) {
  return m.activation == Activation::kRelu && !m.pre_activation.defined();
}

std::int64_t row_count(const Matmul& m) {
  return m.a.size(0);
}

Product product_of(const Products& products, const Matmul& m) {
  const std::int64_t columns = m.y.size(1), inner = m.a.size(m.transpose_a ? 0 : 1);
  const bool wide_in = widens_inputs(products, m), wide_out = widens_output(products, m);
  return {.m = m.transpose_a ? m.y.size(0) : 0,
          .k = m.transpose_a ? 0 : inner,
          .n = columns,
          .rows_are_inner = m.transpose_a,
          .transpose_a = m.transpose_a,
          .transpose_b = m.transpose_b,
          .bias = m.bias.defined(),
          .relu = relu_in_product(m),
          .accumulate = m.accumulate,
          .input = wide_in ? DType::kFloat32 : m.a.dtype,
          .output = wide_out ? DType::kFloat32 : m.y.dtype,
          .a_stride = wide_in ? m.a.size(1) : m.a.stride(0),
          .b_stride = wide_in ? m.b.size(1) : m.b.stride(0),
          .y_stride = wide_out                     ? columns
                      : m.pre_activation.defined() ? m.pre_activation.stride(0)
                                                   : m.y.stride(0),
          .threads = omp_get_max_threads()};
}

template <const Isa& isa>
Tensor widened(const Tensor& x, Workspace& workspace) {
  const Tensor copy = workspace.copy_of(x);
  isa.convert({matrix_of(x), matrix_of(copy)});
  return copy;
}

/// target = op(a) op(b) + bias, or target += op(a) op(b).
template <const Isa& isa, const Products& products>
void multiply(const Matmul& m, const Tensor& target) {
  Workspace workspace(m.workspace.data);
  Tensor a = m.a, b = m.b, bias = m.bias, y = target;
  if (widens_inputs(products, m)) {
    a = widened<isa>(a, workspace);
    if (!m.packed_b.defined()) b = widened<isa>(b, workspace);
    if (bias.defined()) bias = widened<isa>(bias.view({1, bias.size(0)}), workspace);
  }
  if (widens_output(products, m)) {
    y = workspace.copy_of(target);
    if (m.accumulate) isa.convert({matrix_of(target), matrix_of(y)});
  }
  products.run(product_of(products, m), row_count(m),
               {.a = a.data, .b = b.data, .bias = bias.data, .packed_b = m.packed_b.data, .y = y.data, .workspace = workspace.rest()});
  if (widens_output(products, m)) isa.convert({matrix_of(y), matrix_of(target)});
}

template <const Isa& isa, const Products& products>
void matmul(Context& ctx, const Matmul& m) {
  const bool has_product = m.y.elements() > 0 && m.a.elements() > 0;
  // bias and activation of a weight gradient, which nobody asks for, and an empty sum
  const bool unusual = m.transpose_a && (m.bias.defined() || m.activation != Activation::kNone || m.pre_activation.defined());
  if (!is_fast(m.a.dtype) || !has_product || unusual) return reference_kernels().matmul.run(ctx, m);
  const Tensor target = m.pre_activation.defined() ? m.pre_activation : m.y;
  multiply<isa, products>(m, target);
  if (m.activation == Activation::kNone || relu_in_product(m)) {
    if (m.pre_activation.defined()) isa.convert({matrix_of(target), matrix_of(m.y)});
    return;
  }
  isa.activate({.curve = curve_of(m.activation), .dy = {}, .x = matrix_of(target), .y = matrix_of(m.y)});
}

template <const Products& products>
std::int64_t matmul_workspace(const Matmul& m) {
  if (!is_fast(m.a.dtype) || m.y.elements() == 0 || m.a.elements() == 0) return reference_kernels().matmul.workspace_bytes(m);
  Workspace sizes(nullptr);
  if (widens_inputs(products, m)) {
    sizes.copy_of(m.a);
    sizes.copy_of(m.b);
    if (m.bias.defined()) sizes.copy_of(m.bias);
  }
  if (widens_output(products, m)) sizes.copy_of(m.y);
  return sizes.used() + products.workspace(product_of(products, m), row_count(m));
}

template <const Products& products>
std::int64_t packed_matmul_bytes(const Tensor& b, bool transpose_b) {
  if (!is_fast(b.dtype)) return reference_kernels().packed_matmul_bytes(b, transpose_b);
  return products.packed_bytes(b.size(transpose_b ? 0 : 1), b.size(transpose_b ? 1 : 0));
}

template <const Isa& isa>
void pack_matmul(Context& ctx, const kernels::PackMatmul& p) {
  if (!is_fast(p.b.dtype)) return reference_kernels().pack_matmul.run(ctx, p);
  isa.pack_gemm({.b = matrix_of(p.b), .transpose_b = p.transpose_b, .packed = reinterpret_cast<float*>(p.packed.data)});
}

}  // namespace

template <const Isa& isa, const Products& products>
void install_matmul(KernelTable& table) {
  table.matmul = {matmul<isa, products>, matmul_workspace<products>};
  table.packed_matmul_bytes = packed_matmul_bytes<products>;
  table.pack_matmul = {pack_matmul<isa>};
}

template void install_matmul<avx2::isa, own_products>(KernelTable&);
template void install_matmul<avx512::isa, library_products>(KernelTable&);

}  // namespace weft::cpu

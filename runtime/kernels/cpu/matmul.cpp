#include "runtime/kernels/cpu/matmul.h"

#include <omp.h>

#include <cstring>

#include "runtime/kernels/cpu/install.h"
#include "runtime/kernels/cpu/matmul_primitives.h"

namespace weft::cpu {
namespace {

using kernels::Matmul;

std::int64_t aligned(std::int64_t bytes) {
  return (bytes + 63) / 64 * 64;
}

/// The parts of the workspace: copies in float of what the library cannot take as it is, then its own scratch.
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

/// bf16 is widened where the library does not multiply it; a bf16 result is summed in float where the rows are cut over the inner extent.
bool widens_inputs(const Matmul& m) {
  return m.a.dtype == DType::kBFloat16 && !library_multiplies_bf16();
}
bool widens_output(const Matmul& m) {
  return m.y.dtype == DType::kBFloat16 && (m.transpose_a || widens_inputs(m));
}

/// Without the activation that the library cannot do, or must not: backward needs what stood before it.
bool relu_in_library(const Matmul& m) {
  return m.activation == Activation::kRelu && !m.pre_activation.defined();
}

std::int64_t row_count(const Matmul& m) {
  return m.a.size(0);
}

Product product_of(const Matmul& m) {
  const std::int64_t columns = m.y.size(1), inner = m.a.size(m.transpose_a ? 0 : 1);
  const bool wide_in = widens_inputs(m), wide_out = widens_output(m);
  return {.m = m.transpose_a ? m.y.size(0) : 0,
          .k = m.transpose_a ? 0 : inner,
          .n = columns,
          .rows_are_inner = m.transpose_a,
          .transpose_a = m.transpose_a,
          .transpose_b = m.transpose_b,
          .bias = m.bias.defined(),
          .relu = relu_in_library(m),
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
void convert(const Tensor& x, const Tensor& y) {
  isa.convert({.from = storage_of(x),
               .to = storage_of(y),
               .rows = x.size(0),
               .columns = x.size(1),
               .x_stride = x.stride(0),
               .y_stride = y.stride(0),
               .x = x.data,
               .y = y.data});
}

template <const Isa& isa>
Tensor widened(const Tensor& x, Workspace& workspace) {
  const Tensor copy = workspace.copy_of(x);
  convert<isa>(x, copy);
  return copy;
}

/// target = op(a) op(b) + bias, or target += op(a) op(b).
template <const Isa& isa>
void multiply(const Matmul& m, const Tensor& target) {
  Workspace workspace(m.workspace.data);
  Tensor a = m.a, b = m.b, bias = m.bias, y = target;
  if (widens_inputs(m)) {
    a = widened<isa>(a, workspace);
    b = widened<isa>(b, workspace);
    if (bias.defined()) bias = widened<isa>(bias.view({1, bias.size(0)}), workspace);
  }
  if (widens_output(m)) {
    y = workspace.copy_of(target);
    if (m.accumulate) convert<isa>(target, y);
  }
  const Product product = product_of(m);
  run_product(product, row_count(m), {.a = a.data, .b = b.data, .bias = bias.data, .y = y.data, .workspace = workspace.rest()});
  if (widens_output(m)) convert<isa>(y, target);
}

template <const Isa& isa>
void matmul(Context& ctx, const Matmul& m) {
  const bool has_product = m.y.elements() > 0 && m.a.elements() > 0;
  // bias and activation of a weight gradient, which nobody asks for, and an empty sum
  const bool unusual = m.transpose_a && (m.bias.defined() || m.activation != Activation::kNone || m.pre_activation.defined());
  if (!is_fast(m.a.dtype) || !has_product || unusual) return reference_kernels().matmul(ctx, m);
  const Tensor target = m.pre_activation.defined() ? m.pre_activation : m.y;
  multiply<isa>(m, target);
  if (m.activation == Activation::kNone || relu_in_library(m)) {
    if (m.pre_activation.defined()) convert<isa>(target, m.y);
    return;
  }
  isa.activate({.storage = storage_of(m.y),
                .curve = curve_of(m.activation),
                .rows = m.y.size(0),
                .columns = m.y.size(1),
                .dy = nullptr,
                .x = target.data,
                .y = m.y.data,
                .dy_stride = 0,
                .x_stride = target.stride(0),
                .y_stride = m.y.stride(0)});
}

std::int64_t matmul_workspace(const Matmul& m) {
  if (!is_fast(m.a.dtype) || m.y.elements() == 0 || m.a.elements() == 0) return reference_kernels().matmul_workspace(m);
  Workspace sizes(nullptr);
  if (widens_inputs(m)) {
    sizes.copy_of(m.a);
    sizes.copy_of(m.b);
    if (m.bias.defined()) sizes.copy_of(m.bias);
  }
  if (widens_output(m)) sizes.copy_of(m.y);
  return sizes.used() + product_workspace(product_of(m), row_count(m));
}

}  // namespace

template <const Isa& isa>
void install_matmul(KernelTable& table) {
  table.matmul = matmul<isa>;
  table.matmul_workspace = matmul_workspace;
}

template void install_matmul<avx2::isa>(KernelTable&);
template void install_matmul<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

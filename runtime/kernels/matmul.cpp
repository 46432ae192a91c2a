#include "runtime/kernels/matmul.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

void check(const Context& ctx, const Matmul& a) {
  require_dims("matmul", "a", a.a, 2, kFloating);
  const std::int64_t m = a.a.size(a.transpose_a ? 1 : 0), k = a.a.size(a.transpose_a ? 0 : 1);
  require_dims("matmul", "b", a.b, 2, {a.a.dtype});
  const std::int64_t n = a.b.size(a.transpose_b ? 0 : 1);
  require("matmul", "b", a.b, a.transpose_b ? Shape{n, k} : Shape{k, n}, a.a.dtype);
  require_dims("matmul", "y", a.y, 2, {a.a.dtype, sum_type(a.a.dtype)});
  require("matmul", "y", a.y, {m, n}, a.y.dtype);
  if (a.bias.defined()) require("matmul", "bias", a.bias, {n}, a.a.dtype);
  if (a.pre_activation.defined()) require("matmul", "pre_activation", a.pre_activation, {m, n}, a.y.dtype);
  if (a.packed_b.defined())
    require("matmul", "packed_b", a.packed_b, {ctx.device.kernels().packed_matmul_bytes(a.b, a.transpose_b)}, DType::kUInt8);
  const auto is_y = [&](const Tensor& x) { return x.elements() > 0 && a.y.elements() > 0 && x.data == a.y.data; };
  require_that(!is_y(a.a) && !is_y(a.b), "matmul", "y must be neither a nor b");
  require_that(!a.accumulate || (!a.bias.defined() && !a.pre_activation.defined() && a.activation == Activation::kNone), "matmul",
               "accumulate goes with neither bias nor activation");
}

}  // namespace

void matmul(Context& ctx, Matmul a) {
  check(ctx, a);
  launch_with_workspace(ctx, &KernelTable::matmul, "matmul workspace", a);
}

std::int64_t packed_matmul_bytes(const Device& device, const Tensor& b, bool transpose_b) {
  require_dims("pack_matmul", "b", b, 2, kFloating);
  return device.kernels().packed_matmul_bytes(b, transpose_b);
}

void pack_matmul(Context& ctx, const PackMatmul& a) {
  const std::int64_t bytes = packed_matmul_bytes(ctx.device, a.b, a.transpose_b);
  require_that(bytes > 0, "pack_matmul", "this device has no packed form");
  require("pack_matmul", "packed", a.packed, {bytes}, DType::kUInt8);
  launch(ctx, &KernelTable::pack_matmul, a);
}

}  // namespace weft::kernels

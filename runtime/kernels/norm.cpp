#include "runtime/kernels/norm.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

/// What both directions have in common: x or z (T, C), weight (C), mean and rstd (T).
void check_norm(std::string_view kernel, std::string_view argument, const Tensor& x, const Tensor& weight, const Tensor& mean,
                const Tensor& rstd) {
  require_dims(kernel, argument, x, 2, kFloating);
  require_contiguous(kernel, argument, x, x.shape, x.dtype);
  require(kernel, "weight", weight, {x.size(1)}, x.dtype);
  if (mean.defined()) require(kernel, "mean", mean, {x.size(0)}, sum_type(x.dtype));
  require(kernel, "rstd", rstd, {x.size(0)}, sum_type(x.dtype));
}

}  // namespace

void norm_forward(Context& ctx, const NormForward& a) {
  constexpr auto kName = "norm_forward";
  check_norm(kName, "x", a.x, a.weight, a.mean, a.rstd);
  require_that(a.bias.defined() == a.mean.defined(), kName, "bias and mean go together: RMS norm has neither");
  if (a.bias.defined()) require(kName, "bias", a.bias, {a.x.size(1)}, a.x.dtype);
  if (a.residual.defined()) {
    require_contiguous(kName, "residual", a.residual, a.x.shape, a.x.dtype);
    require_contiguous(kName, "z", a.z, a.x.shape, a.x.dtype);
  }
  require_that(a.residual.defined() || !(drops(ctx, a.dropout) || a.z.defined()), kName, "dropout and z go with a residual");
  require_dropout(kName, a.dropout, a.x.size(0));
  require_contiguous(kName, "y", a.y, a.x.shape, a.x.dtype);
  launch(ctx, &KernelTable::norm_forward, a);
}

void norm_backward(Context& ctx, NormBackward a) {
  constexpr auto kName = "norm_backward";
  check_norm(kName, "z", a.z, a.weight, a.mean, a.rstd);
  require(kName, "dweight", a.dweight, {a.z.size(1)}, sum_type(a.z.dtype));
  require_that(a.dbias.defined() == a.mean.defined(), kName, "dbias and mean go together: RMS norm has neither");
  if (a.dbias.defined()) require(kName, "dbias", a.dbias, {a.z.size(1)}, sum_type(a.z.dtype));
  require_contiguous(kName, "dy", a.dy, a.z.shape, a.z.dtype);
  if (a.dz_add.defined()) require_contiguous(kName, "dz_add", a.dz_add, a.z.shape, a.z.dtype);
  require_dropout(kName, a.dropout, a.z.size(0));
  require_contiguous(kName, "dz", a.dz, a.z.shape, a.z.dtype);
  if (a.dx.defined()) require_contiguous(kName, "dx", a.dx, a.z.shape, a.z.dtype);
  require_that(a.dx.defined() || !drops(ctx, a.dropout), kName, "dx may be absent only where nothing is dropped");
  require_that(a.dx.data != a.dz.data || a.dx.elements() == 0, kName, "dx may not be dz");
  launch_with_workspace(ctx, &KernelTable::norm_backward, "norm workspace", a);
}

}  // namespace weft::kernels

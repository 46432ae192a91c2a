#include "runtime/kernels/optimizer.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

void check_flat(std::string_view kernel, std::string_view argument, const Tensor& tensor, const Tensor& like) {
  require(kernel, argument, tensor, like.shape, like.dtype);
}

void check_value(std::string_view kernel, const Tensor& value, const Tensor& master) {
  require(kernel, "value", value, master.shape, value.dtype);
  require_that(is_floating(value.dtype) && sum_type(value.dtype) == master.dtype, kernel, "master is not in the sum type of value");
}

}  // namespace

void sum_of_squares(Context& ctx, SumOfSquares a) {
  require_dims("sum_of_squares", "x", a.x, 1, kSums);
  launch_with_workspace(ctx, &KernelTable::sum_of_squares, "sum_of_squares workspace", a);
}

void finish_norm(Context& ctx, const FinishNorm& a) {
  require_that(a.max_grad_norm >= 0, "finish_norm", "max_grad_norm is negative");
  launch(ctx, &KernelTable::finish_norm, a);
}

void adam_update(Context& ctx, const AdamUpdate& a) {
  constexpr auto kName = "adam_update";
  require_dims(kName, "gradient", a.gradient, 1, kSums);
  check_flat(kName, "master", a.master, a.gradient);
  check_flat(kName, "exp_avg", a.exp_avg, a.gradient);
  check_flat(kName, "exp_avg_sq", a.exp_avg_sq, a.gradient);
  check_value(kName, a.value, a.master);
  launch(ctx, &KernelTable::adam_update, a);
}

void sgd_update(Context& ctx, const SgdUpdate& a) {
  constexpr auto kName = "sgd_update";
  require_dims(kName, "gradient", a.gradient, 1, kSums);
  check_flat(kName, "master", a.master, a.gradient);
  if (a.momentum != 0) check_flat(kName, "momentum_buffer", a.momentum_buffer, a.gradient);
  check_value(kName, a.value, a.master);
  launch(ctx, &KernelTable::sgd_update, a);
}

void ema_update(Context& ctx, const EmaUpdate& a) {
  require_dims("ema_update", "master", a.master, 1, kSums);
  check_flat("ema_update", "average", a.average, a.master);
  launch(ctx, &KernelTable::ema_update, a);
}

}  // namespace weft::kernels

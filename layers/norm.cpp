#include "layers/norm.h"

#include "layers/gradient.h"
#include "runtime/kernels/norm.h"

namespace weft {

Norm::Norm(const NormConfig& config, ParameterScope parameters)
    : weight_(&parameters.add("weight", {config.hidden_size}, Init::ones())), eps_(config.eps) {
  if (config.kind == NormKind::kLayerNorm) bias_ = &parameters.add("bias", {config.hidden_size}, Init::zeros());
}

void Norm::forward(Context& ctx, const Input& in, Tensor y, Saved& saved) const {
  const Shape rows{in.x.size(0)};
  const auto take = [&] { return ctx.memory.saved("norm statistics", rows, sum_type(in.x.dtype)); };
  saved = {.z = in.residual.defined() ? in.z : in.x, .dropout = in.dropout};
  if (bias_ != nullptr) saved.mean = take();
  saved.rstd = take();
  kernels::norm_forward(ctx, {.x = in.x,
                              .residual = in.residual,
                              .dropout = in.dropout,
                              .weight = weight_->value,
                              .bias = bias_ != nullptr ? bias_->value : Tensor{},
                              .eps = eps_,
                              .z = in.z,
                              .y = y,
                              .mean = saved.mean,
                              .rstd = saved.rstd});
}

void Norm::backward(Context& ctx, const Saved& saved, const Gradients& gradients) const {
  kernels::norm_backward(ctx, {.dy = gradients.dy,
                               .z = saved.z,
                               .weight = weight_->value,
                               .mean = saved.mean,
                               .rstd = saved.rstd,
                               .dz_add = gradients.dz_add,
                               .dropout = saved.dropout,
                               .dz = gradients.dz,
                               .dx = gradients.dx,
                               .dweight = gradient_to_add(ctx, *weight_),
                               .dbias = bias_ != nullptr ? gradient_to_add(ctx, *bias_) : Tensor{}});
}

}  // namespace weft

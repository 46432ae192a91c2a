#include "layers/layer_norm.h"

#include "layers/gradient.h"
#include "runtime/kernels/layer_norm.h"

namespace weft {

LayerNorm::LayerNorm(const LayerNormConfig& config, ParameterScope parameters)
    : weight_(&parameters.add("weight", {config.hidden_size}, Init::ones())),
      bias_(&parameters.add("bias", {config.hidden_size}, Init::zeros())),
      eps_(config.eps) {}

void LayerNorm::forward(Context& ctx, const Input& in, Tensor y, Saved& saved) const {
  const Shape rows{in.x.size(0)};
  saved = {.z = in.residual.defined() ? in.z : in.x,
           .mean = ctx.memory.saved("norm statistics", rows, sum_type(in.x.dtype)),
           .rstd = ctx.memory.saved("norm statistics", rows, sum_type(in.x.dtype)),
           .dropout = in.dropout};
  kernels::layer_norm_forward(ctx, {.x = in.x,
                                    .residual = in.residual,
                                    .dropout = in.dropout,
                                    .weight = weight_->value,
                                    .bias = bias_->value,
                                    .eps = eps_,
                                    .z = in.z,
                                    .y = y,
                                    .mean = saved.mean,
                                    .rstd = saved.rstd});
}

void LayerNorm::backward(Context& ctx, const Saved& saved, const Gradients& gradients) const {
  kernels::layer_norm_backward(ctx, {.dy = gradients.dy,
                                     .z = saved.z,
                                     .weight = weight_->value,
                                     .mean = saved.mean,
                                     .rstd = saved.rstd,
                                     .dz_add = gradients.dz_add,
                                     .dropout = saved.dropout,
                                     .dz = gradients.dz,
                                     .dx = gradients.dx,
                                     .dweight = gradient_to_add(ctx, *weight_),
                                     .dbias = gradient_to_add(ctx, *bias_)});
}

}  // namespace weft

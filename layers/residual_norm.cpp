#include "layers/residual_norm.h"

#include "layers/gradient.h"
#include "runtime/kernels/layer_norm.h"

namespace weft {

ResidualNorm::ResidualNorm(const LayerNormConfig& config, ParameterScope parameters)
    : weight_(&parameters.add("weight", {config.hidden_size}, Init::ones())),
      bias_(&parameters.add("bias", {config.hidden_size}, Init::zeros())),
      eps_(config.eps) {}

void ResidualNorm::forward(Context& ctx, Tensor x, Tensor residual, const RowDropout& dropout, Output out, Saved& saved) const {
  const Shape rows{x.size(0)};
  saved = {.z = out.z,
           .mean = ctx.memory.saved("norm statistics", rows, sum_type(x.dtype)),
           .rstd = ctx.memory.saved("norm statistics", rows, sum_type(x.dtype)),
           .dropout = dropout};
  kernels::residual_norm_forward(ctx, {.x = x,
                                       .residual = residual,
                                       .dropout = dropout,
                                       .weight = weight_->value,
                                       .bias = bias_->value,
                                       .eps = eps_,
                                       .z = out.z,
                                       .y = out.y,
                                       .mean = saved.mean,
                                       .rstd = saved.rstd});
}

void ResidualNorm::backward(Context& ctx, const Saved& saved, const Gradients& gradients) const {
  kernels::residual_norm_backward(ctx, {.dy = gradients.dy,
                                        .z = saved.z,
                                        .weight = weight_->value,
                                        .mean = saved.mean,
                                        .rstd = saved.rstd,
                                        .dz_add = gradients.dz_add,
                                        .dropout = saved.dropout,
                                        .dresidual = gradients.dresidual,
                                        .dx = gradients.dx,
                                        .dweight = gradient_to_add(ctx, *weight_),
                                        .dbias = gradient_to_add(ctx, *bias_)});
}

}  // namespace weft

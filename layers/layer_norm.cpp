#include "layers/layer_norm.h"

#include "layers/gradient.h"
#include "runtime/kernels/layer_norm.h"

namespace weft {

LayerNorm::LayerNorm(const LayerNormConfig& config, ParameterScope parameters)
    : weight_(&parameters.add("weight", {config.hidden_size}, Init::ones())),
      bias_(&parameters.add("bias", {config.hidden_size}, Init::zeros())),
      eps_(config.eps) {}

void LayerNorm::forward(Context& ctx, Tensor x, Tensor y, Saved& saved) const {
  const Shape rows{x.size(0)};
  saved = {.x = x,
           .mean = ctx.memory.saved("norm statistics", rows, sum_type(x.dtype)),
           .rstd = ctx.memory.saved("norm statistics", rows, sum_type(x.dtype))};
  kernels::layer_norm_forward(
      ctx, {.x = x, .weight = weight_->value, .bias = bias_->value, .eps = eps_, .y = y, .mean = saved.mean, .rstd = saved.rstd});
}

void LayerNorm::backward(Context& ctx, Tensor dy, const Saved& saved, Tensor dx_add, Tensor dx) const {
  kernels::layer_norm_backward(ctx, {.dy = dy,
                                     .x = saved.x,
                                     .weight = weight_->value,
                                     .mean = saved.mean,
                                     .rstd = saved.rstd,
                                     .dx_add = dx_add,
                                     .dx = dx,
                                     .dweight = gradient_to_add(ctx, *weight_),
                                     .dbias = gradient_to_add(ctx, *bias_)});
}

}  // namespace weft

#include "layers/linear.h"

#include "layers/gradient.h"
#include "runtime/kernels/bias_gradient.h"
#include "runtime/kernels/matmul.h"

namespace weft {
namespace {

std::vector<ParameterScope::NamedRows> with_suffix(std::vector<ParameterScope::NamedRows> outputs, const char* suffix) {
  for (auto& output : outputs) output.name += suffix;
  return outputs;
}

}  // namespace

Linear::Linear(const LinearConfig& config, ParameterScope parameters) {
  constexpr bool kDecayed = true;
  const TensorParallel& tp = config.tensor_parallel;
  const Cut by_rows = config.cut == LinearCut::kOutputs ? tp.cut(0) : Cut{};
  const Cut of_weight = config.cut == LinearCut::kInputs ? tp.cut(1) : by_rows;
  weight_ = &parameters.add_fused(with_suffix(config.outputs, ".weight"), config.in_features, Init::xavier_uniform(config.gain), kDecayed,
                                  of_weight);
  weight_->multiplied = true;
  if (!config.bias) return;
  bias_ = &parameters.add_fused(with_suffix(config.outputs, ".bias"), 0, Init::zeros(), !kDecayed, by_rows);
  adds_bias_ = config.cut != LinearCut::kInputs || tp.is_first();
}

void Linear::forward(Context& ctx, Tensor x, Tensor y) const {
  forward(ctx, x, y, Activation::kNone, {});
}

void Linear::forward(Context& ctx, Tensor x, Tensor y, Activation activation, Tensor pre_activation) const {
  kernels::matmul(ctx, {.a = x,
                        .b = weight_->value,
                        .transpose_b = true,
                        .bias = adds_bias_ ? bias_->value : Tensor{},
                        .activation = activation,
                        .pre_activation = pre_activation,
                        .packed_b = weight_->packed,
                        .y = y});
}

void Linear::backward(Context& ctx, Tensor dy, Tensor x, Tensor dx, Write write) const {
  add_weight_gradient(ctx, dy, x, *weight_);
  if (bias_ != nullptr && bias_->grad.defined()) kernels::bias_gradient(ctx, {.dy = dy, .dbias = gradient_to_add(ctx, *bias_)});
  kernels::matmul(ctx, {.a = dy, .b = weight_->value, .accumulate = write == Write::kAdd, .y = dx});
}

}  // namespace weft

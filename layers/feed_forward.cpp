#include "layers/feed_forward.h"

#include "runtime/kernels/activation.h"
#include "runtime/kernels/swiglu.h"

namespace weft {
namespace {

/// What one product can do to its output; a gate needs two of them.
Activation elementwise(FfnActivation activation) {
  switch (activation) {
    case FfnActivation::kRelu:
      return Activation::kRelu;
    case FfnActivation::kGelu:
      return Activation::kGelu;
    case FfnActivation::kGeluTanh:
      return Activation::kGeluTanh;
    case FfnActivation::kSwiglu:
      break;
  }
  return Activation::kNone;
}

std::vector<ParameterScope::NamedRows> inner_projections(const FeedForwardConfig& config) {
  if (config.activation == FfnActivation::kSwiglu) return {{"gate_proj", config.ffn_size}, {"up_proj", config.ffn_size}};
  return {{"fc1", config.ffn_size}};
}

}  // namespace

FeedForward::FeedForward(const FeedForwardConfig& config, ParameterScope parameters, TensorParallel tensor_parallel)
    : ffn_size_(config.ffn_size / tensor_parallel.size()),
      activation_(config.activation),
      in_({.in_features = config.hidden_size,
           .outputs = inner_projections(config),
           .bias = config.bias,
           .cut = LinearCut::kOutputs,
           .tensor_parallel = tensor_parallel},
          parameters),
      out_({.in_features = config.ffn_size,
            .outputs = {{config.activation == FfnActivation::kSwiglu ? "down_proj" : "fc2", config.hidden_size}},
            .bias = config.bias,
            .cut = LinearCut::kInputs,
            .tensor_parallel = tensor_parallel},
           parameters),
      dropout_{parameters.site("activation_dropout"), config.activation_dropout},
      tensor_parallel_(tensor_parallel) {
  tensor_parallel_.require_divides("model.ffn_size", config.ffn_size);
}

void FeedForward::forward(Context& ctx, Tensor x, const Rows& rows, Tensor y, Saved& saved) const {
  const Shape inner{x.size(0), ffn_size_};
  saved = {.x = x,
           .dropout = {
               .site = dropout_, .sample = rows.sample, .positions = rows.positions, .first_column = tensor_parallel_.rank() * ffn_size_}};
  saved.h = ctx.memory.saved("feed-forward activation", inner, x.dtype);
  if (activation_ == FfnActivation::kSwiglu) {
    saved.pre = ctx.memory.saved("feed-forward gate and up", {x.size(0), 2 * ffn_size_}, x.dtype);
    in_.forward(ctx, x, saved.pre);
    kernels::swiglu_forward(ctx, {.gate_up = saved.pre, .dropout = saved.dropout, .h = saved.h});
  } else {
    if (activation_ != FfnActivation::kRelu) saved.pre = ctx.memory.saved("feed-forward pre-activation", inner, x.dtype);
    in_.forward(ctx, x, saved.h, elementwise(activation_), saved.pre);
    if (drops(ctx, saved.dropout)) kernels::dropout(ctx, {.x = saved.h, .dropout = saved.dropout, .y = saved.h});
  }
  out_.forward(ctx, saved.h, y);
  tensor_parallel_.leave(ctx, y);
}

void FeedForward::backward(Context& ctx, Tensor dy, const Saved& saved, Tensor dx, Write write) const {
  const StepArena::Scope scope(ctx.memory);
  const Tensor dh = ctx.memory.scratch("d feed-forward activation", saved.h.shape, dy.dtype);
  out_.backward(ctx, dy, saved.h, dh);
  Tensor dinner = dh;
  if (activation_ == FfnActivation::kSwiglu) {
    dinner = saved.pre;
    kernels::swiglu_backward(ctx, {.dh = dh, .gate_up = saved.pre, .dropout = saved.dropout, .dgate_up = dinner});
  } else {
    if (drops(ctx, saved.dropout)) kernels::dropout(ctx, {.x = dh, .dropout = saved.dropout, .y = dh});
    kernels::activation_backward(
        ctx, {.dy = dh, .x = saved.pre.defined() ? saved.pre : saved.h, .activation = elementwise(activation_), .dx = dh});
  }
  tensor_parallel_.enter_backward(ctx, dx, write, [&](Tensor part, Write how) { in_.backward(ctx, dinner, saved.x, part, how); });
}

}  // namespace weft

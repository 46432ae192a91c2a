#include "layers/feed_forward.h"

#include "runtime/kernels/activation.h"

namespace weft {

FeedForward::FeedForward(const FeedForwardConfig& config, ParameterScope parameters, TensorParallel tensor_parallel)
    : ffn_size_(config.ffn_size / tensor_parallel.size()),
      activation_(config.activation),
      fc1_({.in_features = config.hidden_size,
            .outputs = {{"fc1", config.ffn_size}},
            .bias = config.bias,
            .cut = LinearCut::kOutputs,
            .tensor_parallel = tensor_parallel},
           parameters),
      fc2_({.in_features = config.ffn_size,
            .outputs = {{"fc2", config.hidden_size}},
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
  if (activation_ != Activation::kRelu) saved.pre = ctx.memory.saved("feed-forward pre-activation", inner, x.dtype);
  fc1_.forward(ctx, x, saved.h, activation_, saved.pre);
  if (drops(ctx, saved.dropout)) kernels::dropout(ctx, {.x = saved.h, .dropout = saved.dropout, .y = saved.h});
  fc2_.forward(ctx, saved.h, y);
  tensor_parallel_.leave(ctx, y);
}

void FeedForward::backward(Context& ctx, Tensor dy, const Saved& saved, Tensor dx, Write write) const {
  const StepArena::Scope scope(ctx.memory);
  const Tensor dh = ctx.memory.scratch("d feed-forward activation", saved.h.shape, dy.dtype);
  fc2_.backward(ctx, dy, saved.h, dh);
  if (drops(ctx, saved.dropout)) kernels::dropout(ctx, {.x = dh, .dropout = saved.dropout, .y = dh});
  kernels::activation_backward(ctx, {.dy = dh, .x = saved.pre.defined() ? saved.pre : saved.h, .activation = activation_, .dx = dh});
  tensor_parallel_.enter_backward(ctx, dx, write, [&](Tensor part, Write how) { fc1_.backward(ctx, dh, saved.x, part, how); });
}

}  // namespace weft

#include "layers/attention/cross_attention.h"

#include <numbers>

namespace weft {
namespace {

constexpr double kGain = std::numbers::sqrt2 / 2;

}  // namespace

CrossAttention::CrossAttention(const AttentionConfig& config, ParameterScope parameters, TensorParallel tensor_parallel)
    : attention_(config, parameters.site("attention_dropout"), tensor_parallel),
      query_projection_({.in_features = config.hidden_size,
                         .outputs = {{"q_proj", config.query_width()}},
                         .bias = config.bias,
                         .gain = kGain,
                         .cut = LinearCut::kOutputs,
                         .tensor_parallel = tensor_parallel},
                        parameters),
      key_value_projection_({.in_features = config.hidden_size,
                             .outputs = {{"k_proj", config.key_width()}, {"v_proj", config.key_width()}},
                             .bias = config.bias,
                             .gain = kGain,
                             .cut = LinearCut::kOutputs,
                             .tensor_parallel = tensor_parallel},
                            parameters),
      out_projection_({.in_features = config.query_width(),
                       .outputs = {{"out_proj", config.hidden_size}},
                       .bias = config.bias,
                       .cut = LinearCut::kInputs,
                       .tensor_parallel = tensor_parallel},
                      parameters),
      tensor_parallel_(tensor_parallel) {}

void CrossAttention::project(Context& ctx, Tensor memory, Tensor keys_values) const {
  key_value_projection_.forward(ctx, memory, keys_values);
}

KeyValues CrossAttention::keys(Tensor keys_values, const Rows& rows) const {
  const std::int64_t width = attention_.key_width();
  return {keys_values.slice(1, 0, width), keys_values.slice(1, width, width), rows};
}

void CrossAttention::forward(Context& ctx, Tensor x, const Rows& rows, const KeyValues& keys, Tensor y, Saved& saved) const {
  const Tensor q = ctx.memory.saved("cross-attention q", {x.size(0), attention_.query_width()}, x.dtype);
  const Tensor context = ctx.memory.saved("attention output", {x.size(0), attention_.query_width()}, x.dtype);
  saved.x = x;
  query_projection_.forward(ctx, x, q);
  attention_.forward(ctx, q, keys, rows, context, saved.attention);
  out_projection_.forward(ctx, context, y);
  tensor_parallel_.leave(ctx, y);
}

void CrossAttention::backward(Context& ctx, Tensor dy, const Saved& saved, const Gradients& gradients, Write write) const {
  const StepArena::Scope scope(ctx.memory);
  const Tensor dcontext = ctx.memory.scratch("d attention output", {dy.size(0), attention_.query_width()}, dy.dtype);
  const Tensor dq = ctx.memory.scratch("d cross-attention q", {dy.size(0), attention_.query_width()}, dy.dtype);
  out_projection_.backward(ctx, dy, saved.attention.y, dcontext);
  const KeyValues dkeys = keys(gradients.dkeys_values, saved.attention.keys.rows);
  attention_.backward(ctx, dcontext, saved.attention, {.dq = dq, .dk = dkeys.k, .dv = dkeys.v});
  tensor_parallel_.enter_backward(ctx, gradients.dx, write,
                                  [&](Tensor part, Write how) { query_projection_.backward(ctx, dq, saved.x, part, how); });
}

void CrossAttention::project_backward(Context& ctx, Tensor dkeys_values, Tensor memory, Tensor dmemory) const {
  key_value_projection_.backward(ctx, dkeys_values, memory, dmemory, Write::kAdd);
}

}  // namespace weft

#include "layers/attention/self_attention.h"

#include <numbers>

#include "runtime/kernels/memory_ops.h"

namespace weft {

SelfAttention::SelfAttention(const AttentionConfig& config, ParameterScope parameters, TensorParallel tensor_parallel)
    : attention_(config, parameters.site("attention_dropout"), tensor_parallel),
      projections_({.in_features = config.hidden_size,
                    .outputs = {{"q_proj", config.query_width()}, {"k_proj", config.key_width()}, {"v_proj", config.key_width()}},
                    .bias = config.bias,
                    .gain = std::numbers::sqrt2 / 2,
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

void SelfAttention::forward(Context& ctx, Tensor x, const Rows& rows, Tensor y, Saved& saved, const KeyValueCache* cache) const {
  const std::int64_t t = x.size(0), q = attention_.query_width(), kv = attention_.key_width();
  saved.x = x;
  saved.qkv = ctx.memory.saved("attention q, k, v", {t, q + 2 * kv}, x.dtype);
  const Tensor context = ctx.memory.saved("attention output", {t, q}, x.dtype);
  projections_.forward(ctx, x, saved.qkv);
  KeyValues keys{saved.qkv.slice(1, q, kv), saved.qkv.slice(1, q + kv, kv), rows};
  if (cache != nullptr) {
    kernels::convert(ctx, {.x = saved.qkv.slice(1, q, 2 * kv), .y = cache->append});
    keys = cache->all;
  }
  attention_.forward(ctx, saved.qkv.slice(1, 0, q), keys, rows, context, saved.attention);
  out_projection_.forward(ctx, context, y);
  tensor_parallel_.leave(ctx, y);
}

void SelfAttention::backward(Context& ctx, Tensor dy, const Saved& saved, Tensor dx, Write write) const {
  const StepArena::Scope scope(ctx.memory);
  const std::int64_t t = dy.size(0), q = attention_.query_width(), kv = attention_.key_width();
  const Tensor dcontext = ctx.memory.scratch("d attention output", {t, q}, dy.dtype);
  const Tensor dqkv = ctx.memory.scratch("d attention q, k, v", {t, q + 2 * kv}, dy.dtype);
  out_projection_.backward(ctx, dy, saved.attention.y, dcontext);
  attention_.backward(ctx, dcontext, saved.attention,
                      {.dq = dqkv.slice(1, 0, q), .dk = dqkv.slice(1, q, kv), .dv = dqkv.slice(1, q + kv, kv)});
  tensor_parallel_.enter_backward(ctx, dx, write, [&](Tensor part, Write how) { projections_.backward(ctx, dqkv, saved.x, part, how); });
}

}  // namespace weft

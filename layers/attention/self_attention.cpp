#include "layers/attention/self_attention.h"

#include <numbers>

#include "runtime/kernels/memory_ops.h"

namespace weft {

SelfAttention::SelfAttention(const AttentionConfig& config, ParameterScope parameters, TensorParallel tensor_parallel)
    : width_(config.hidden_size / tensor_parallel.size()),
      projections_({.in_features = config.hidden_size,
                    .outputs = {{"q_proj", config.hidden_size}, {"k_proj", config.hidden_size}, {"v_proj", config.hidden_size}},
                    .bias = config.bias,
                    .gain = std::numbers::sqrt2 / 2,
                    .cut = LinearCut::kOutputs,
                    .tensor_parallel = tensor_parallel},
                   parameters),
      out_projection_({.in_features = config.hidden_size,
                       .outputs = {{"out_proj", config.hidden_size}},
                       .bias = config.bias,
                       .cut = LinearCut::kInputs,
                       .tensor_parallel = tensor_parallel},
                      parameters),
      attention_(config, parameters.site("attention_dropout"), tensor_parallel),
      tensor_parallel_(tensor_parallel) {}

void SelfAttention::forward(Context& ctx, Tensor x, const Rows& rows, Tensor y, Saved& saved, const KeyValueCache* cache) const {
  const std::int64_t t = x.size(0), c = width_;
  saved.x = x;
  saved.qkv = ctx.memory.saved("attention q, k, v", {t, 3 * c}, x.dtype);
  const Tensor context = ctx.memory.saved("attention output", {t, c}, x.dtype);
  projections_.forward(ctx, x, saved.qkv);
  KeyValues keys{saved.qkv.slice(1, c, c), saved.qkv.slice(1, 2 * c, c), rows};
  if (cache != nullptr) {
    kernels::convert(ctx, {.x = saved.qkv.slice(1, c, 2 * c), .y = cache->append});
    keys = cache->all;
  }
  attention_.forward(ctx, saved.qkv.slice(1, 0, c), keys, rows, context, saved.attention);
  out_projection_.forward(ctx, context, y);
  tensor_parallel_.leave(ctx, y);
}

void SelfAttention::backward(Context& ctx, Tensor dy, const Saved& saved, Tensor dx, Write write) const {
  const StepArena::Scope scope(ctx.memory);
  const std::int64_t t = dy.size(0), c = width_;
  const Tensor dcontext = ctx.memory.scratch("d attention output", {t, c}, dy.dtype);
  const Tensor dqkv = ctx.memory.scratch("d attention q, k, v", {t, 3 * c}, dy.dtype);
  out_projection_.backward(ctx, dy, saved.attention.y, dcontext);
  attention_.backward(ctx, dcontext, saved.attention,
                      {.dq = dqkv.slice(1, 0, c), .dk = dqkv.slice(1, c, c), .dv = dqkv.slice(1, 2 * c, c)});
  tensor_parallel_.enter_backward(ctx, dx, write, [&](Tensor part, Write how) { projections_.backward(ctx, dqkv, saved.x, part, how); });
}

}  // namespace weft

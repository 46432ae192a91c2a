#include "layers/attention/dot_product_attention.h"

#include <cmath>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

DotProductAttention::DotProductAttention(const AttentionConfig& config, RandomKey site, TensorParallel tensor_parallel)
    : num_heads_(config.num_heads / tensor_parallel.size()),
      num_kv_heads_(config.kv_heads() / tensor_parallel.size()),
      head_dim_(config.dim()),
      causal_(config.causal),
      dropout_{site, config.dropout},
      key_stride_(config.max_length),
      positions_(config.positions),
      tensor_parallel_(tensor_parallel) {
  if (config.head_dim == 0 && head_dim_ * config.num_heads != config.hidden_size) {
    fail_input(fmt::format("model.num_heads: {} does not divide hidden_size = {}", config.num_heads, config.hidden_size));
  }
  if (head_dim_ == 0) fail_input(fmt::format("model.num_heads: {} heads of hidden_size = {}", config.num_heads, config.hidden_size));
  if (config.num_heads % config.kv_heads() != 0) {
    fail_input(fmt::format("model.num_kv_heads: {} does not divide num_heads = {}", config.kv_heads(), config.num_heads));
  }
  if (positions_.rotation != nullptr && head_dim_ % 2 != 0) {
    fail_input(fmt::format("model.positions: rope turns pairs of numbers\n  found     heads of {} numbers\n  expected  an even number",
                           head_dim_));
  }
  tensor_parallel_.require_divides("model.num_kv_heads", config.kv_heads());
}

void DotProductAttention::forward(Context& ctx, Tensor q, const KeyValues& keys, const Rows& query_rows, Tensor y, Saved& saved) const {
  saved = {.q = q,
           .keys = keys,
           .rows = query_rows,
           .y = y,
           .lse = ctx.memory.saved("attention log-sum-exp", {q.size(0), num_heads_}, sum_type(q.dtype))};
  kernels::attention_forward(ctx, {.q = heads(q),
                                   .k = heads(keys.k),
                                   .v = heads(keys.v),
                                   .rows = attention_rows(query_rows, keys.rows),
                                   .causal = causal_,
                                   .scale = 1 / std::sqrt(static_cast<double>(head_dim_)),
                                   .positions = positions(),
                                   .dropout = dropout(query_rows),
                                   .y = heads(y),
                                   .lse = saved.lse});
}

void DotProductAttention::backward(Context& ctx, Tensor dy, const Saved& saved, const Gradients& gradients) const {
  kernels::attention_backward(ctx, {.dy = heads(dy),
                                    .q = heads(saved.q),
                                    .k = heads(saved.keys.k),
                                    .v = heads(saved.keys.v),
                                    .y = heads(saved.y),
                                    .lse = saved.lse,
                                    .rows = attention_rows(saved.rows, saved.keys.rows),
                                    .causal = causal_,
                                    .scale = 1 / std::sqrt(static_cast<double>(head_dim_)),
                                    .positions = positions(),
                                    .dropout = dropout(saved.rows),
                                    .dq = heads(gradients.dq),
                                    .dk = heads(gradients.dk),
                                    .dv = heads(gradients.dv)});
}

Tensor DotProductAttention::heads(Tensor x) const {
  return x.view({x.size(0), x.size(1) / head_dim_, head_dim_});
}

AttentionPositions DotProductAttention::positions() const {
  const auto value = [](const Parameter* table) { return table != nullptr ? table->value : Tensor{}; };
  return {.rotation = value(positions_.rotation), .pairing = positions_.pairing, .slopes = value(positions_.slopes)};
}

AttentionRows DotProductAttention::attention_rows(const Rows& queries, const Rows& keys) const {
  return {.query_begin = queries.begin,
          .query_length = queries.length,
          .key_begin = keys.begin,
          .key_length = keys.length,
          .max_query_length = queries.max_length,
          .max_key_length = keys.max_length};
}

AttentionDropout DotProductAttention::dropout(const Rows& queries) const {
  return {.rows = {.site = dropout_,
                   .sample = queries.sample,
                   .positions = queries.positions,
                   .first_column = tensor_parallel_.rank() * num_heads_ * key_stride_},
          .key_stride = key_stride_};
}

}  // namespace weft

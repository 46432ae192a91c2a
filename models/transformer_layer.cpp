#include "models/transformer_layer.h"

#include <string>
#include <string_view>

namespace weft {
namespace {

AttentionConfig attention_config(const ModelConfig& model, StackKind kind, bool causal, const PositionTables& positions) {
  const StackConfig& stack = kind == StackKind::kEncoder ? model.encoder : model.decoder;
  return {.hidden_size = model.hidden_size,
          .num_heads = stack.num_heads,
          .num_kv_heads = stack.num_kv_heads,
          .head_dim = stack.head_dim,
          .bias = model.bias,
          .causal = causal,
          .dropout = model.attention_dropout,
          .max_length = model.max_length,
          .positions = positions};
}

FeedForwardConfig ffn_config(const ModelConfig& model, StackKind kind) {
  return {.hidden_size = model.hidden_size,
          .ffn_size = kind == StackKind::kEncoder ? model.encoder.ffn_size : model.decoder.ffn_size,
          .activation = model.activation,
          .bias = model.bias,
          .activation_dropout = model.activation_dropout};
}

}  // namespace

TransformerLayer::TransformerLayer(const ModelConfig& model, StackKind kind, ParameterScope layer, const Options& options)
    : pre_norm_(model.norm_position == NormPosition::kPre),
      self_attention_(attention_config(model, kind, kind == StackKind::kDecoder, options.positions), layer.child("self_attn"),
                      options.tensor_parallel),
      ffn_(ffn_config(model, kind), layer.child("ffn"), options.tensor_parallel) {
  std::vector<std::string> sublayers{"self_attn"};
  if (kind == StackKind::kDecoder) {
    cross_attention_.emplace(attention_config(model, kind, false, {}), layer.child("cross_attn"), options.tensor_parallel);
    sublayers.push_back("cross_attn");
  }
  sublayers.push_back("ffn");
  const NormConfig norm_config{model.hidden_size, model.norm_eps, model.norm};
  std::size_t norms = 0;
  const auto next_norm = [&] { return Norm(norm_config, layer.child("norm" + std::to_string(++norms))); };
  if (pre_norm_) opening_norm_ = next_norm();
  for (const std::string& sublayer : sublayers) {
    std::optional<Norm> norm;
    if (norms < sublayers.size()) {
      norm = next_norm();
    } else if (options.stack_norm) {
      norm = Norm(norm_config, *options.stack_norm);
    }
    joins_.emplace_back(Dropout{layer.child(sublayer).site("dropout"), model.dropout}, norm);
  }
}

void TransformerLayer::forward(Context& ctx, const Input& in, Tensor y, Saved& saved) const {
  saved.input = in;
  Tensor x = in.x, residual = in.x;  // what the next sub-layer reads, and what its output is joined to
  const auto take = [&](std::string_view name) { return ctx.memory.saved(name, in.x.shape, in.x.dtype); };
  const auto join = [&](std::size_t index, Tensor branch, Tensor to) {
    joins_[index].forward(ctx, branch, residual, in.rows, to, saved.joins[index]);
    x = to;
    residual = pre_norm_ ? branch : to;
  };
  if (pre_norm_) {
    x = take("norm output");
    opening_norm_->forward(ctx, {.x = in.x}, x, saved.opening_norm);
  }
  Tensor branch = take("residual stream");
  self_attention_.forward(ctx, x, in.rows, branch, saved.self_attention, in.cache);
  join(0, branch, take("norm output"));
  if (cross_attention_) {
    branch = take("residual stream");
    cross_attention_forward(ctx, x, branch, saved);
    join(1, branch, take("norm output"));
  }
  branch = joins_.back().has_norm() ? take("residual stream") : y;
  ffn_.forward(ctx, x, in.rows, branch, saved.ffn);
  join(joins_.size() - 1, branch, y);
}

void TransformerLayer::cross_attention_forward(Context& ctx, Tensor x, Tensor y, Saved& saved) const {
  const Input& in = saved.input;
  if (in.memory_keys != nullptr) return cross_attention_->forward(ctx, x, in.rows, *in.memory_keys, y, saved.cross_attention);
  const Tensor keys_values = ctx.memory.saved("cross-attention k, v", {in.memory.size(0), keys_values_width()}, in.memory.dtype);
  const KeyValues keys = project_memory(ctx, in.memory, in.memory_rows, keys_values);
  cross_attention_->forward(ctx, x, in.rows, keys, y, saved.cross_attention);
  if (in.attention.defined()) cross_attention_->weights(ctx, saved.cross_attention, in.attention);
}

KeyValues TransformerLayer::project_memory(Context& ctx, Tensor memory, const Rows& rows, Tensor keys_values) const {
  cross_attention_->project(ctx, memory, keys_values);
  return cross_attention_->keys(keys_values, rows);
}

/// Post-norm: what a sub-layer read is the residual stream too, so its gradient is added to the stream's. Pre-norm: it goes to the norm
/// before it, and the stream's is added there, by the kernel of that norm.
void TransformerLayer::backward(Context& ctx, const Saved& saved, const Gradients& gradients) const {
  const StepArena::Scope scope(ctx.memory);
  const Tensor scratch = ctx.memory.scratch("d sub-layer", gradients.dy.shape, gradients.dy.dtype);
  const Write write = pre_norm_ ? Write::kOverwrite : Write::kAdd;
  Tensor dy = gradients.dy;  // of what the next join to go through gave to the sub-layer after it
  Tensor stream;             // pre-norm: the gradient of the residual stream after that join; absent at first
  // Returns the gradient of a sub-layer's output; that of its input goes to dy.
  const auto join_backward = [&](std::size_t index) {
    const Join::Result result =
        joins_[index].backward(ctx, saved.joins[index], {.dy = dy, .dz_add = stream, .dz = gradients.dx, .dx = scratch});
    if (pre_norm_) stream = result.dresidual;
    dy = pre_norm_ ? scratch : result.dresidual;
    return result.dx;
  };
  Tensor branch = join_backward(joins_.size() - 1);
  ffn_.backward(ctx, branch, saved.ffn, dy, write);
  if (cross_attention_) {
    const StepArena::Scope inner(ctx.memory);
    branch = join_backward(1);
    const Tensor memory = saved.input.memory;
    const Tensor dkeys_values = ctx.memory.scratch("d cross-attention k, v", {memory.size(0), keys_values_width()}, memory.dtype);
    cross_attention_->backward(ctx, branch, saved.cross_attention, {.dx = dy, .dkeys_values = dkeys_values}, write);
    cross_attention_->project_backward(ctx, dkeys_values, memory, gradients.dmemory);
  }
  branch = join_backward(0);
  self_attention_.backward(ctx, branch, saved.self_attention, dy, write);
  if (pre_norm_) opening_norm_->backward(ctx, saved.opening_norm, {.dy = dy, .dz_add = stream, .dz = gradients.dx});
}

}  // namespace weft

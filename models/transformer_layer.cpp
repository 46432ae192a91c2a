#include "models/transformer_layer.h"

#include "runtime/kernels/dropout.h"

namespace weft {
namespace {

AttentionConfig attention_config(const ModelConfig& model, StackKind kind, bool causal) {
  const StackConfig& stack = kind == StackKind::kEncoder ? model.encoder : model.decoder;
  return {.hidden_size = model.hidden_size,
          .num_heads = stack.num_heads,
          .bias = model.bias,
          .causal = causal,
          .dropout = model.attention_dropout,
          .max_length = model.max_length};
}

FeedForwardConfig ffn_config(const ModelConfig& model, StackKind kind) {
  return {.hidden_size = model.hidden_size,
          .ffn_size = kind == StackKind::kEncoder ? model.encoder.ffn_size : model.decoder.ffn_size,
          .activation = model.activation,
          .bias = model.bias,
          .activation_dropout = model.activation_dropout};
}

}  // namespace

TransformerLayer::TransformerLayer(const ModelConfig& model, StackKind kind, ParameterScope layer, std::optional<ParameterScope> stack_norm)
    : pre_norm_(model.norm_position == NormPosition::kPre),
      self_attention_(attention_config(model, kind, kind == StackKind::kDecoder), layer.child("self_attn")),
      ffn_(ffn_config(model, kind), layer.child("ffn")) {
  std::vector<std::string> sublayers{"self_attn"};
  if (kind == StackKind::kDecoder) {
    cross_attention_.emplace(attention_config(model, kind, false), layer.child("cross_attn"));
    sublayers.push_back("cross_attn");
  }
  sublayers.push_back("ffn");
  const LayerNormConfig norm{model.hidden_size, model.norm_eps};
  for (std::size_t i = 0; i < sublayers.size(); ++i) {
    const ParameterScope scope = layer.child("norm" + std::to_string(i + 1));
    if (pre_norm_ && i == 0) {
      opening_norm_.emplace(norm, scope);
    } else {
      joins_.emplace_back(norm, scope);
    }
    dropouts_.push_back({layer.child(sublayers[i]).site("dropout"), model.dropout});
  }
  if (stack_norm) joins_.emplace_back(norm, *stack_norm);
}

void TransformerLayer::forward(Context& ctx, const Input& in, Tensor y, Saved& saved) const {
  saved.input = in;
  Flow flow{in.x, in.x};
  if (pre_norm_) {
    flow.input = ctx.memory.saved("norm output", in.x.shape, in.x.dtype);
    opening_norm_->forward(ctx, {.x = in.x}, flow.input, saved.opening_norm);
  }
  Tensor branch = ctx.memory.saved("residual stream", in.x.shape, in.x.dtype);
  self_attention_.forward(ctx, flow.input, in.rows, branch, saved.self_attention, in.cache);
  flow = join(ctx, 0, branch, flow, saved);
  if (cross_attention_) {
    branch = ctx.memory.saved("residual stream", in.x.shape, in.x.dtype);
    cross_attention_forward(ctx, flow, branch, saved);
    flow = join(ctx, 1, branch, flow, saved);
  }
  last_sublayer_forward(ctx, flow, y, saved);
}

/// z takes the place of the sub-layer's output.
TransformerLayer::Flow TransformerLayer::join(Context& ctx, std::size_t join, Tensor branch, const Flow& flow, Saved& saved) const {
  const Tensor y = ctx.memory.saved("norm output", branch.shape, branch.dtype);
  const RowDropout dropout = join_dropout(join, saved.input.rows);
  joins_[join].forward(ctx, {.x = branch, .residual = flow.residual, .dropout = dropout, .z = branch}, y, saved.joins[join]);
  return {.residual = pre_norm_ ? branch : y, .input = y};
}

void TransformerLayer::cross_attention_forward(Context& ctx, const Flow& flow, Tensor branch, Saved& saved) const {
  const Input& in = saved.input;
  if (in.memory_keys != nullptr) {
    cross_attention_->forward(ctx, flow.input, in.rows, *in.memory_keys, branch, saved.cross_attention);
    return;
  }
  const Tensor keys_values = ctx.memory.saved("cross-attention k, v", {in.memory.size(0), 2 * in.memory.size(1)}, in.memory.dtype);
  const KeyValues keys = project_memory(ctx, in.memory, in.memory_rows, keys_values);
  cross_attention_->forward(ctx, flow.input, in.rows, keys, branch, saved.cross_attention);
  if (in.attention.defined()) cross_attention_->weights(ctx, saved.cross_attention, in.attention);
}

KeyValues TransformerLayer::project_memory(Context& ctx, Tensor memory, const Rows& rows, Tensor keys_values) const {
  cross_attention_->project(ctx, memory, keys_values);
  return cross_attention_->keys(keys_values, rows);
}

void TransformerLayer::last_sublayer_forward(Context& ctx, const Flow& flow, Tensor y, Saved& saved) const {
  const Rows& rows = saved.input.rows;
  const std::size_t last = last_join();
  if (last < joins_.size()) {
    const Tensor branch = ctx.memory.saved("residual stream", y.shape, y.dtype);
    ffn_.forward(ctx, flow.input, rows, branch, saved.ffn);
    joins_[last].forward(ctx, {.x = branch, .residual = flow.residual, .dropout = join_dropout(last, rows), .z = branch}, y,
                         saved.joins[last]);
    return;
  }
  ffn_.forward(ctx, flow.input, rows, y, saved.ffn);
  kernels::dropout(ctx, {.x = y, .residual = flow.residual, .dropout = join_dropout(last, rows), .y = y});
}

void TransformerLayer::backward(Context& ctx, const Saved& saved, const Gradients& gradients) const {
  const StepArena::Scope scope(ctx.memory);
  const Tensor scratch = ctx.memory.scratch("d sub-layer", gradients.dy.shape, gradients.dy.dtype);
  BackwardFlow flow{.dy = gradients.dy, .dx = gradients.dx, .scratch = scratch};
  Branch branch = join_backward(ctx, last_join(), saved, flow);
  ffn_.backward(ctx, branch.dy, saved.ffn, branch.dx, branch.write);
  if (cross_attention_) {
    branch = join_backward(ctx, 1, saved, flow);
    cross_attention_backward(ctx, saved, branch, gradients.dmemory);
  }
  branch = join_backward(ctx, 0, saved, flow);
  self_attention_.backward(ctx, branch.dy, saved.self_attention, branch.dx, branch.write);
  if (pre_norm_) opening_norm_->backward(ctx, saved.opening_norm, {.dy = branch.dx, .dz_add = flow.stream, .dz = gradients.dx});
}

/// Post-norm: what a sub-layer read is the residual stream too, so its gradient is added to the stream's. Pre-norm: it goes to the norm
/// before it, and the stream's is added there, by the kernel of that norm.
TransformerLayer::Branch TransformerLayer::join_backward(Context& ctx, std::size_t join, const Saved& saved, BackwardFlow& flow) const {
  const RowDropout dropout = join_dropout(join, saved.input.rows);
  const bool dropping = drops(ctx, dropout);
  if (join < joins_.size()) {
    joins_[join].backward(
        ctx, saved.joins[join],
        {.dy = flow.dy, .dz_add = pre_norm_ ? flow.stream : Tensor{}, .dz = flow.dx, .dx = dropping ? flow.scratch : Tensor{}});
    flow.stream = flow.dx;
  } else {
    flow.stream = flow.dy;
    if (dropping) kernels::dropout(ctx, {.x = flow.dy, .dropout = dropout, .y = flow.scratch});
  }
  const Branch branch{.dy = dropping ? flow.scratch : flow.stream,
                      .dx = pre_norm_ ? flow.scratch : flow.dx,
                      .write = pre_norm_ ? Write::kOverwrite : Write::kAdd};
  flow.dy = branch.dx;
  return branch;
}

void TransformerLayer::cross_attention_backward(Context& ctx, const Saved& saved, const Branch& branch, Tensor dmemory) const {
  const StepArena::Scope scope(ctx.memory);
  const Tensor memory = saved.input.memory;
  const Tensor dkeys_values = ctx.memory.scratch("d cross-attention k, v", {memory.size(0), 2 * memory.size(1)}, memory.dtype);
  cross_attention_->backward(ctx, branch.dy, saved.cross_attention, {.dx = branch.dx, .dkeys_values = dkeys_values}, branch.write);
  cross_attention_->project_backward(ctx, dkeys_values, memory, dmemory);
}

RowDropout TransformerLayer::join_dropout(std::size_t join, const Rows& rows) const {
  return {.site = dropouts_[join], .sample = rows.sample, .positions = rows.positions};
}

}  // namespace weft

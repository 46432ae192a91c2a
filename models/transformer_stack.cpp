#include "models/transformer_stack.h"

#include <array>
#include <cmath>

#include "runtime/error.h"

namespace weft {
namespace {

const char* stack_name(StackKind kind) {
  return kind == StackKind::kEncoder ? "encoder" : "decoder";
}

EmbeddingConfig embedding_config(const ModelConfig& config) {
  const bool scaled = config.embedding_scale == EmbeddingScale::kSqrt;
  return {.scale = scaled ? std::sqrt(static_cast<double>(config.hidden_size)) : 1, .dropout = config.dropout};
}

/// The constants that the self-attention of a stack knows positions by; all its layers share them.
PositionTables position_tables(const ModelConfig& config, StackKind kind, const ParameterScope& scope,
                               const TensorParallel& tensor_parallel) {
  const StackConfig& stack = kind == StackKind::kEncoder ? config.encoder : config.decoder;
  PositionTables tables{.pairing = config.rope_pairing};
  if (config.positions == Positions::kRope) {
    const std::int64_t dim =
        AttentionConfig{.hidden_size = config.hidden_size, .num_heads = stack.num_heads, .head_dim = stack.head_dim}.dim();
    tables.rotation = &scope.add_wide_constant("rotation", {config.max_length, dim}, Init::rotary(config.rope_base));
  } else if (config.positions == Positions::kAlibi) {
    tables.slopes = &scope.add_wide_constant("slopes", {stack.num_heads}, Init::slopes(), tensor_parallel.cut(0));
  }
  return tables;
}

}  // namespace

void acquire(Context& ctx, BlockHooks& hooks, BlockId block, Direction direction) {
  if (block != kNoBlock) hooks.acquire(ctx, block, direction);
}

void release(Context& ctx, BlockHooks& hooks, BlockId block) {
  if (block != kNoBlock) hooks.release(ctx, block);
}

void ready_and_release(Context& ctx, BlockHooks& hooks, BlockId block) {
  if (block == kNoBlock) return;
  hooks.ready(ctx, block);
  hooks.release(ctx, block);
}

TransformerStack::TransformerStack(const ModelConfig& config, StackKind kind, StackBlocks blocks, const Embeddings& embeddings,
                                   ParameterSet& set, TensorParallel tensor_parallel)
    : hidden_size_(config.hidden_size),
      recompute_(config.recompute_blocks),
      blocks_(blocks),
      token_(&embeddings.token),
      embedding_(embedding_config(config), embeddings.token, embeddings.position,
                 ParameterScope(set, std::string(stack_name(kind)) + ".embeddings", blocks.embeddings), tensor_parallel) {
  const std::int64_t num_layers = kind == StackKind::kEncoder ? config.encoder.num_layers : config.decoder.num_layers;
  if (num_layers < 1) fail_input(std::string("model.num_layers: the ") + stack_name(kind) + " has none, expected at least 1");
  TransformerLayer::Options options{
      .positions = position_tables(config, kind, ParameterScope(set, stack_name(kind), blocks.first_layer), tensor_parallel),
      .tensor_parallel = tensor_parallel};
  for (std::int64_t l = 0; l < num_layers; ++l) {
    const ParameterScope scope(set, stack_name(kind), blocks.first_layer + static_cast<BlockId>(l));
    if (config.norm_position == NormPosition::kPre && l == num_layers - 1) options.stack_norm = scope.child("norm");
    layers_.emplace_back(config, kind, scope.child("layers." + std::to_string(l)), options);
  }
  saved_.resize(layers_.size());
  marks_.resize(layers_.size());
  outputs_.resize(layers_.size());
}

Tensor TransformerStack::forward(Context& ctx, const Input& in, BlockHooks& hooks) {
  start_ = ctx.memory.mark();
  Tensor x = take_output(ctx, in.rows.rows);
  embed(ctx, in.rows, x, hooks, saved_embedding_);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    marks_[l] = ctx.memory.mark();
    outputs_[l] = take_output(ctx, in.rows.rows);
    const StepArena::Mark inside = ctx.memory.mark();
    acquire(ctx, hooks, block_of(l), Direction::kForward);
    layers_[l].forward(ctx, layer_input(in, x, l), outputs_[l], saved_[l]);
    release(ctx, hooks, block_of(l));
    if (recompute_) ctx.memory.release(inside);
    x = outputs_[l];
  }
  return x;
}

void TransformerStack::backward(Context& ctx, BlockHooks& hooks, Tensor dy, Tensor dmemory) {
  for (std::size_t l = layers_.size(); l-- > 0;) {
    acquire(ctx, hooks, block_of(l), Direction::kBackward);
    if (recompute_) {
      const TransformerLayer::Input input = saved_[l].input;
      layers_[l].forward(ctx, input, outputs_[l], saved_[l]);  // the output is overwritten with the same bits
    }
    layers_[l].backward(ctx, saved_[l], {.dy = dy, .dx = dy, .dmemory = dmemory});
    ready_and_release(ctx, hooks, block_of(l));
    ctx.memory.release(marks_[l]);
  }
  acquire(ctx, hooks, blocks_.embeddings, Direction::kBackward);
  embedding_.backward(ctx, dy, saved_embedding_);
  ready_and_release(ctx, hooks, blocks_.embeddings);
  ctx.memory.release(start_);
}

Tensor TransformerStack::evaluate(Context& ctx, const Input& in, BlockHooks& hooks) const {
  std::array<Tensor, 2> outputs{take_output(ctx, in.rows.rows), take_output(ctx, in.rows.rows)};
  Embedding::Saved saved_embedding;
  embed(ctx, in.rows, outputs[0], hooks, saved_embedding);
  for (std::size_t l = 0; l < layers_.size(); ++l) {
    const StepArena::Mark inside = ctx.memory.mark();
    TransformerLayer::Saved saved;
    acquire(ctx, hooks, block_of(l), Direction::kForward);
    layers_[l].forward(ctx, layer_input(in, outputs[l % 2], l), outputs[(l + 1) % 2], saved);
    release(ctx, hooks, block_of(l));
    ctx.memory.release(inside);
  }
  return outputs[layers_.size() % 2];
}

TransformerLayer::Input TransformerStack::layer_input(const Input& in, Tensor x, std::size_t layer) const {
  return {.x = x,
          .rows = in.rows,
          .memory = in.memory,
          .memory_rows = in.memory_rows,
          .cache = in.caches.empty() ? nullptr : &in.caches[layer],
          .memory_keys = in.memory_keys.empty() ? nullptr : &in.memory_keys[layer],
          .attention = layer + 1 == layers_.size() ? in.attention : Tensor{}};
}

Tensor TransformerStack::take_output(Context& ctx, std::int64_t rows) const {
  return ctx.memory.saved("layer output", {rows, hidden_size_}, dtype());
}

void TransformerStack::embed(Context& ctx, const Rows& rows, Tensor y, BlockHooks& hooks, Embedding::Saved& saved) const {
  acquire(ctx, hooks, blocks_.embeddings, Direction::kForward);
  embedding_.forward(ctx, rows, y, saved);
  release(ctx, hooks, blocks_.embeddings);
}

}  // namespace weft

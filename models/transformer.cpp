#include "models/transformer.h"

#include <cmath>

#include <fmt/format.h>

#include "models/transformer_model.h"
#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {

TransformerBlocks::TransformerBlocks(const ModelConfig& config) {
  const bool all = config.tied_embeddings == TiedEmbeddings::kAll;
  BlockId next = 0;
  encoder.embeddings = next++;
  encoder.first_layer = next;
  next += static_cast<BlockId>(config.encoder.num_layers);
  if (!all || config.positions == Positions::kLearned) decoder.embeddings = next++;
  decoder.first_layer = next;
  next += static_cast<BlockId>(config.decoder.num_layers);
  if (config.tied_embeddings == TiedEmbeddings::kNone) head = next;
  if (config.tied_embeddings == TiedEmbeddings::kDecoder) shared = decoder.embeddings;
  if (all) shared = encoder.embeddings;
}

Transformer::Transformer(const ModelConfig& config, ParameterSet& set, TensorParallel tensor_parallel)
    : Transformer(config, set, register_tables(config, set, tensor_parallel), tensor_parallel) {}

Transformer::Transformer(const ModelConfig& config, ParameterSet& set, const Tables& tables, TensorParallel tensor_parallel)
    : position_limit_(config.positions == Positions::kNone || config.positions == Positions::kAlibi ? 0 : config.max_length),
      blocks_(config),
      encoder_(config, StackKind::kEncoder, blocks_.encoder, {*tables.source, tables.source_positions}, set, tensor_parallel),
      decoder_(config, StackKind::kDecoder, blocks_.decoder, {*tables.target, tables.target_positions}, set, tensor_parallel),
      head_(*tables.output, config.label_smoothing, tensor_parallel),
      tensor_parallel_(tensor_parallel) {
  set.lay_out();
}

Transformer::Tables Transformer::register_tables(const ModelConfig& config, ParameterSet& set, const TensorParallel& tensor_parallel) {
  const TransformerBlocks blocks(config);
  const std::int64_t c = config.hidden_size;
  const double deviation = config.embedding_scale == EmbeddingScale::kSqrt ? 1 / std::sqrt(static_cast<double>(c)) : 0.02;
  const Init init = Init::normal(deviation);
  const Cut cut = tensor_parallel.vocabulary_cut();
  constexpr bool kDecayed = true;
  const ParameterScope encoder(set, "encoder.embeddings", blocks.encoder.embeddings);
  const ParameterScope decoder(set, "decoder.embeddings", blocks.decoder.embeddings);
  const ParameterScope shared(set, "embeddings", blocks.encoder.embeddings);
  Tables tables{};
  if (config.tied_embeddings == TiedEmbeddings::kAll) {
    if (config.source_vocab_size != config.target_vocab_size) {
      fail_input(fmt::format("model.tied_embeddings: all needs one vocabulary, found {} source and {} target symbols",
                             config.source_vocab_size, config.target_vocab_size));
    }
    Parameter& table = shared.add("token.weight", {config.target_vocab_size, c}, init, !kDecayed, cut);
    table.shared = true;
    tables.source = tables.target = tables.output = &table;
  } else {
    tables.source = &encoder.add("token.weight", {config.source_vocab_size, c}, init, !kDecayed, cut);
    Parameter& table = decoder.add("token.weight", {config.target_vocab_size, c}, init, !kDecayed, cut);
    table.shared = config.tied_embeddings == TiedEmbeddings::kDecoder;
    tables.target = tables.output = &table;
  }
  if (config.tied_embeddings == TiedEmbeddings::kNone) {
    const ParameterScope head(set, "lm_head", blocks.head);
    tables.output = &head.add("weight", {config.target_vocab_size, c}, Init::xavier_uniform(), kDecayed, cut);
  }
  if (config.positions == Positions::kSinusoidal || config.positions == Positions::kSinusoidalHalves) {
    const Init sinusoids = config.positions == Positions::kSinusoidal ? Init::sinusoidal() : Init::sinusoidal_halves();
    tables.source_positions = tables.target_positions = &shared.add_constant("position.weight", {config.max_length, c}, sinusoids);
  } else if (config.positions == Positions::kLearned) {
    tables.source_positions = &encoder.add("position.weight", {config.max_length, c}, init);
    tables.target_positions = &decoder.add("position.weight", {config.max_length, c}, init);
  }
  return tables;
}

// A shared block is acquired before its first use and stays so to the end of the pass; the embeddings acquire it once more, which nests.
void Transformer::forward_backward(Context& ctx, const Batch& batch, BlockHooks& hooks, Tensor sums) {
  const StepArena::Scope scope(ctx.memory);
  acquire(ctx, hooks, blocks_.shared, Direction::kForward);
  const Tensor memory = encoder_.forward(ctx, {.rows = batch.source}, hooks);
  const Tensor x = decoder_.forward(ctx, {.rows = batch.target, .memory = memory, .memory_rows = batch.source}, hooks);
  const Tensor dmemory = ctx.memory.scratch("d encoder output", memory.shape, sum_type(memory.dtype));
  kernels::fill_zero(ctx, {.y = dmemory});
  backward_decoder(ctx, batch, hooks, {.x = x, .dmemory = dmemory, .sums = sums});
  tensor_parallel_.enter_backward(ctx, dmemory);
  Tensor dencoder = dmemory;
  if (memory.dtype != dmemory.dtype) {
    dencoder = ctx.memory.scratch("d encoder output, rounded", memory.shape, memory.dtype);
    kernels::convert(ctx, {.x = dmemory, .y = dencoder});
  }
  encoder_.backward(ctx, hooks, dencoder, {});
  release(ctx, hooks, blocks_.shared);
}

void Transformer::backward_decoder(Context& ctx, const Batch& batch, BlockHooks& hooks, const DecoderPass& pass) {
  const StepArena::Scope scope(ctx.memory);
  const Tensor dx = ctx.memory.scratch("d decoder output", pass.x.shape, pass.x.dtype);
  acquire(ctx, hooks, blocks_.head, Direction::kForward);
  head_.forward_backward(ctx, {.x = pass.x, .labels = batch.labels, .weights = batch.weights}, dx, pass.sums);
  ready_and_release(ctx, hooks, blocks_.head);
  decoder_.backward(ctx, hooks, dx, pass.dmemory);
}

void Transformer::forward(Context& caller, const Batch& batch, BlockHooks& hooks, Tensor sums) {
  Context ctx = caller;
  ctx.training = false;
  const StepArena::Mark start = ctx.memory.mark();
  acquire(ctx, hooks, blocks_.shared, Direction::kForward);
  const Tensor memory = encoder_.evaluate(ctx, {.rows = batch.source}, hooks);
  const Tensor x = decoder_.evaluate(ctx, {.rows = batch.target, .memory = memory, .memory_rows = batch.source}, hooks);
  acquire(ctx, hooks, blocks_.head, Direction::kForward);
  head_.forward(ctx, {.x = x, .labels = batch.labels, .weights = batch.weights}, sums);
  release(ctx, hooks, blocks_.head);
  release(ctx, hooks, blocks_.shared);
  ctx.memory.release(start);
}

std::unique_ptr<TranslationModel> make_transformer(const ModelConfig& config, ParameterSet& set, TensorParallel tensor_parallel) {
  return std::make_unique<Transformer>(config, set, tensor_parallel);
}

}  // namespace weft

#include <limits>
#include <utility>
#include <vector>

#include <fmt/format.h>

#include "models/transformer_model.h"
#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {
namespace {

/// N hypotheses at the start, room for S tokens each. Live hypothesis h owns slot h of every cache: S rows of the keys and values of this
/// rank's heads.
struct TransformerDecodeState : DecodeState {
  std::int64_t max_steps = 0;
  std::int64_t steps = 0;  // tokens read so far
  std::int64_t live = 0;
  std::int64_t max_source_length = 0;
  std::vector<std::int32_t> host_tables;  // stays until the copy to the device is done
  Tensor numbers;                         // (N) 0, 1, 2, ...
  Tensor slot_begin;                      // (N) h S
  Tensor source_number;                   // (N) h / beams
  Tensor step_number;                     // (S + 1, N): row t is full of t
  // Where the source of a live hypothesis lies, (N) each; `reorder` goes to and fro between the two.
  struct Sources {
    Tensor begin, length;
  };
  Sources sources, other_sources;
  std::vector<Tensor> caches;  // of each layer, (N, S keys_values_width)
  Tensor spare_cache;          // where `reorder` writes the next layer's
  std::vector<KeyValueCache> layer_caches;
  std::vector<KeyValues> memory_keys;  // of each layer
};

TransformerDecodeState& state_of(DecodeState& state) {
  return dynamic_cast<TransformerDecodeState&>(state);
}

void take_tables(Context& ctx, std::int64_t hypotheses, std::int64_t beams, TransformerDecodeState& state) {
  const std::int64_t n = hypotheses, steps = state.max_steps;
  if (n * steps > std::numeric_limits<std::int32_t>::max()) fail(fmt::format("decoding: {} x {} cache rows exceed int32", n, steps));
  std::vector<std::int32_t>& host = state.host_tables;
  for (std::int64_t h = 0; h < n; ++h) host.push_back(static_cast<std::int32_t>(h));
  for (std::int64_t h = 0; h < n; ++h) host.push_back(static_cast<std::int32_t>(h * steps));
  for (std::int64_t h = 0; h < n; ++h) host.push_back(static_cast<std::int32_t>(h / beams));
  for (std::int64_t t = 0; t <= steps; ++t) host.insert(host.end(), static_cast<std::size_t>(n), static_cast<std::int32_t>(t));
  const Shape shape{static_cast<std::int64_t>(host.size())};
  const Tensor tables = ctx.memory.saved("decoding tables", shape, DType::kInt32);
  ctx.device.copy(ctx.stream, tables, Tensor(host.data(), shape, DType::kInt32));
  state.numbers = tables.rows(0, n);
  state.slot_begin = tables.rows(n, n);
  state.source_number = tables.rows(2 * n, n);
  state.step_number = tables.rows(3 * n, n * (steps + 1)).view({steps + 1, n});
}

/// to[i] = from[index[i]], int32 vectors.
void gather(Context& ctx, Tensor from, Tensor index, Tensor to) {
  kernels::copy_rows(ctx, {.x = from.view({from.size(0), 1}), .from = index, .y = to.view({to.size(0), 1})});
}

void take_sources(Context& ctx, const Rows& source, TransformerDecodeState& state) {
  const auto take = [&] { return ctx.memory.saved("decoding tables", state.source_number.shape, DType::kInt32); };
  state.sources = {take(), take()};
  state.other_sources = {take(), take()};
  gather(ctx, source.begin, state.source_number, state.sources.begin);
  gather(ctx, source.length, state.source_number, state.sources.length);
}

Rows query_rows(const TransformerDecodeState& state, Tensor tokens) {
  const std::int64_t n = state.live;
  const auto all = [&](std::int64_t t) { return state.step_number.rows(t, 1).view({state.step_number.size(1)}).rows(0, n); };
  return {.tokens = tokens,
          .positions = all(state.steps),
          .begin = state.numbers.rows(0, n),
          .length = all(1),
          .rows = n,
          .sequences = n,
          .max_length = 1};
}

/// Points the caches and the sources at the live hypotheses, with room for the token of this step.
void prepare_step(TransformerDecodeState& state) {
  const std::int64_t n = state.live, t = state.steps;
  const Rows cache_rows{.begin = state.slot_begin.rows(0, n),
                        .length = state.step_number.rows(t + 1, 1).view({state.step_number.size(1)}).rows(0, n),
                        .sequences = n,
                        .max_length = t + 1};
  const Rows source_rows{.begin = state.sources.begin.rows(0, n),
                         .length = state.sources.length.rows(0, n),
                         .sequences = n,
                         .max_length = state.max_source_length};
  for (std::size_t l = 0; l < state.caches.size(); ++l) {
    const Tensor cache = state.caches[l];
    const std::int64_t width = cache.size(1) / state.max_steps;
    const Tensor rows = cache.view({cache.size(0) * state.max_steps, width});
    state.layer_caches[l] = {.append = cache.rows(0, n).slice(1, t * width, width),
                             .all = {rows.slice(1, 0, width / 2), rows.slice(1, width / 2, width / 2), cache_rows}};
    state.memory_keys[l].rows = source_rows;
  }
}

Context without_dropout(const Context& caller) {
  Context ctx = caller;
  ctx.training = false;
  return ctx;
}

}  // namespace

std::unique_ptr<DecodeState> Transformer::start(Context& caller, const Rows& source, int beams, std::int64_t max_steps) {
  Context ctx = without_dropout(caller);
  if (position_limit_ > 0 && max_steps > position_limit_) {
    fail(fmt::format("decoding: {} steps, model.max_length is {}", max_steps, position_limit_));
  }
  auto state = std::make_unique<TransformerDecodeState>();
  const std::int64_t n = source.sequences * beams;
  state->max_steps = max_steps;
  state->live = n;
  state->max_source_length = source.max_length;
  take_tables(ctx, n, beams, *state);
  take_sources(ctx, source, *state);
  const DType dtype = encoder_.dtype();
  const std::size_t num_layers = decoder_.layers().size();
  const std::int64_t width = decoder_.layers()[0].keys_values_width();
  const auto take_cache = [&] { return ctx.memory.saved("key-value cache", {n, max_steps * width}, dtype); };
  for (std::size_t l = 0; l < num_layers; ++l) state->caches.push_back(take_cache());
  state->spare_cache = take_cache();
  state->layer_caches.resize(num_layers);
  std::vector<Tensor> keys_values;
  for (std::size_t l = 0; l < num_layers; ++l) {
    keys_values.push_back(ctx.memory.saved("cross-attention k, v", {source.rows, width}, dtype));
  }
  const StepArena::Mark encoding = ctx.memory.mark();
  BlockHooks all_acquired;
  const Tensor memory = encoder_.evaluate(ctx, {.rows = source}, all_acquired);
  for (std::size_t l = 0; l < num_layers; ++l) {
    state->memory_keys.push_back(decoder_.layers()[l].project_memory(ctx, memory, source, keys_values[l]));
  }
  ctx.memory.release(encoding);
  return state;
}

void Transformer::step(Context& caller, DecodeState& decode_state, Tensor tokens, Tensor logits) {
  Context ctx = without_dropout(caller);
  TransformerDecodeState& state = state_of(decode_state);
  if (tokens.size(0) != state.live) fail(fmt::format("decoding: {} tokens for {} hypotheses", tokens.size(0), state.live));
  if (state.steps == state.max_steps) fail(fmt::format("decoding: more than {} steps", state.max_steps));
  const StepArena::Mark start = ctx.memory.mark();
  prepare_step(state);
  BlockHooks all_acquired;
  const Tensor x = decoder_.evaluate(
      ctx, {.rows = query_rows(state, tokens), .caches = state.layer_caches, .memory_keys = state.memory_keys}, all_acquired);
  head_.logits(ctx, x, logits);
  ctx.memory.release(start);
  ++state.steps;
}

void Transformer::attend(Context& caller, const Rows& source, const Rows& target, Tensor weights) {
  Context ctx = without_dropout(caller);
  const StepArena::Mark start = ctx.memory.mark();
  BlockHooks all_acquired;
  const Tensor memory = encoder_.evaluate(ctx, {.rows = source}, all_acquired);
  decoder_.evaluate(ctx, {.rows = target, .memory = memory, .memory_rows = source, .attention = weights}, all_acquired);
  ctx.memory.release(start);
}

void Transformer::reorder(Context& ctx, DecodeState& decode_state, Tensor parents) {
  TransformerDecodeState& state = state_of(decode_state);
  const std::int64_t n = parents.size(0), filled = state.steps * (state.spare_cache.size(1) / state.max_steps);
  if (n > state.numbers.size(0)) fail(fmt::format("decoding: {} hypotheses, room for {}", n, state.numbers.size(0)));
  for (Tensor& cache : state.caches) {  // each layer moves to the buffer that the one before it has left
    kernels::copy_rows(ctx, {.x = cache.slice(1, 0, filled), .from = parents, .y = state.spare_cache.slice(1, 0, filled)});
    std::swap(cache, state.spare_cache);
  }
  gather(ctx, state.sources.begin, parents, state.other_sources.begin);
  gather(ctx, state.sources.length, parents, state.other_sources.length);
  std::swap(state.sources, state.other_sources);
  state.live = n;
}

}  // namespace weft

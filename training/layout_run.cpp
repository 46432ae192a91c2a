#include "training/layout_run.h"

#include <memory>
#include <span>

#include "data/loader.h"
#include "models/transformer.h"
#include "runtime/kernels/memory_ops.h"
#include "state/boxes.h"
#include "state/gradient_reducer.h"
#include "state/optimizer_shards.h"
#include "training/loss_buffer.h"
#include "training/schedule.h"
#include "training/step_state_buffer.h"

namespace weft {
namespace {

/// The parts of a flat tensor, on the host.
std::vector<HeldTensor> held_tensors(Context& ctx, const ParameterSet& set, const Tensor& flat) {
  std::vector<float> host(static_cast<std::size_t>(flat.elements()));
  const Memory memory = ctx.device.allocate(flat.elements() * size_of(DType::kFloat32), MemoryKind::kDevice);
  const Tensor wide = memory.tensor(flat.shape, DType::kFloat32);
  kernels::convert(ctx, {.x = flat, .y = wide});
  ctx.device.copy(ctx.stream, Tensor(host.data(), flat.shape, DType::kFloat32), wide);
  ctx.stream.synchronize();
  std::vector<HeldTensor> held;
  for (const FlatPart& flat_part : flat_parts(set)) {
    const Part& part = *flat_part.part;
    held.push_back({part.name, part.shape, part.box, {host.begin() + flat_part.range.begin, host.begin() + flat_part.range.end}});
  }
  return held;
}

/// The slices of all data-parallel ranks, each in its place.
Tensor whole_gradient(Context& ctx, Communicator& dp, const ParameterStorage& storage, std::span<const Slice> slices, Memory& memory) {
  const std::int64_t elements = storage.parameters().elements();
  memory = dp.allocate(ctx.device, elements * size_of(storage.sum_dtype()));
  const Tensor whole = memory.tensor({elements}, storage.sum_dtype());
  kernels::fill_zero(ctx, {.y = whole});
  for (const Slice& slice : slices) {
    ctx.device.copy(ctx.stream, whole.rows(slice.range.begin, slice.range.end - slice.range.begin), slice.gradient);
  }
  if (storage.layout().sharded()) dp.all_reduce(ctx.stream, whole);
  return whole;
}

/// Biases start at 0 in training: one that every rank adds would not show in the first update.
void draw_biases(ParameterSet& set) {
  constexpr double kDeviation = 0.1;
  for (Parameter& parameter : set.parameters()) {
    if (parameter.saved && parameter.init.kind == Init::Kind::kZeros) parameter.init = Init::normal(kDeviation);
  }
}

}  // namespace

LayoutRun run_layout(Mesh& mesh, Device& device, const LayoutRunConfig& config, const Dataset& data) {
  Communicator& dp = *mesh.dp;
  ParameterSet parameters(config.seed, dp.size());
  const std::unique_ptr<TranslationModel> model = make_transformer(config.model, parameters, TensorParallel(*mesh.tp));
  draw_biases(parameters);
  ParameterStorage storage(parameters, dp, device, config.dtype,
                           ShardLayout(parameters, dp, config.parallel, size_of(sum_type(config.dtype))), StorageUse::kTraining);
  OptimizerShards optimizer(config.optimizer, storage, mesh, device);
  GradientReducer reducer(storage, dp);
  Stream& stream = device.stream(StreamKind::kCompute);
  const Memory arena_memory = mesh.tp->allocate(device, config.arena_bytes);
  StepArena arena(arena_memory.data(), config.arena_bytes);
  StepStateBuffer step_state(device, stream);
  LossBuffer loss(device, stream);
  Context ctx{device, stream, arena, step_state.tensor(), true};
  storage.initialize(ctx);
  optimizer.initialize(ctx);

  const BatchSampler sampler(data, config.sampling);
  Loader loader(device, stream, data, sampler, {.dp_rank = dp.rank(), .dp = dp.size(), .micro_batch_rows = config.micro_batch_rows});
  LayoutRun run;
  for (std::int64_t step = 1; step <= config.updates; ++step) {
    const LoadedUpdate loaded = loader.begin_update();
    const auto sentences = static_cast<std::int64_t>(loaded.update.samples.size());
    const std::int64_t counted = config.training.normalization == Normalization::kTokens ? loaded.update.loss_tokens : sentences;
    step_state.write(step, learning_rate(config.training.schedule, step, config.training.limits.train_steps),
                     1.0 / static_cast<double>(counted));
    reducer.begin_update(static_cast<int>(loaded.passes));
    for (std::int64_t pass = 0; pass < loaded.passes; ++pass) model->forward_backward(ctx, loader.next(), reducer, loss.sums());
    reducer.finish(ctx);
    if (step == 1) {
      Memory memory;
      run.gradients = held_tensors(ctx, parameters, whole_gradient(ctx, dp, storage, reducer.slices(), memory));
    }
    optimizer.update(ctx, reducer.slices());
    const LossTotals totals = loss.sum_over(dp, loss.take());
    run.steps.push_back({totals.loss / totals.count, step_state.read()[StepState::kGradNorm]});
  }
  run.weights = held_tensors(ctx, parameters, storage.values().rows(0, parameters.elements()));
  return run;
}

}  // namespace weft

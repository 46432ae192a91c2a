#include "training/memory_plan.h"

#include <fmt/format.h>

#include "data/batch_builder.h"
#include "inference/decoding_memory.h"
#include "models/transformer.h"
#include "parallel/dry_communicator.h"
#include "runtime/dry_device.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/log.h"
#include "runtime/step_state.h"
#include "state/gradient_reducer.h"
#include "state/optimizer_shards.h"
#include "training/validation/translation_validator.h"

namespace weft {
namespace {

constexpr std::int64_t kEndless = std::int64_t{1} << 46;
constexpr std::int64_t kLoaderBuffers = 2;

}  // namespace

MemoryPlan measure_memory(const MemoryQuestion& question, std::int64_t micro_batch_rows) {
  DryDevice device(*question.kernels);
  const Mesh mesh = make_dry_mesh(question.grid);
  ParameterSet parameters(0, question.grid.data);
  const std::unique_ptr<TranslationModel> model = make_transformer(question.model, parameters, TensorParallel(*mesh.tp));
  ParameterStorage storage(parameters, *mesh.dp, device, question.dtype,
                           ShardLayout(parameters, *mesh.dp, question.parallel, size_of(sum_type(question.dtype))), StorageUse::kTraining);
  OptimizerShards optimizer(question.optimizer, storage, mesh, device);
  GradientReducer reducer(storage, *mesh.dp);

  const std::int64_t longest = question.model.max_length;
  const BatchExtent extent = capacity_extent(micro_batch_rows, longest, longest);
  const Memory batch_memory = device.allocate(batch_bytes(extent), MemoryKind::kDevice);
  const Memory arena_memory = device.allocate(kEndless, MemoryKind::kDevice);
  const Memory step_memory = device.allocate(StepState::kFields * size_of(DType::kFloat64), MemoryKind::kDevice);
  const Memory loss_memory = device.allocate(LossSums::kFields * size_of(DType::kFloat64), MemoryKind::kDevice);
  StepArena arena(arena_memory.data(), kEndless);
  arena.record_peak();
  Context ctx{device, device.stream(StreamKind::kCompute), arena, step_memory.tensor({StepState::kFields}, DType::kFloat64), true};
  const Batch batch = view_batch(batch_memory, extent);
  const Tensor sums = loss_memory.tensor({LossSums::kFields}, DType::kFloat64);

  reducer.begin_update(1);
  model->forward_backward(ctx, batch, reducer, sums);
  reducer.finish(ctx);
  optimizer.update(ctx, reducer.slices());
  ctx.training = false;
  model->forward(ctx, batch, reducer, sums);

  MemoryPlan plan{.micro_batch_rows = micro_batch_rows, .parameters = parameters.count(), .program = question.program_bytes};
  plan.weights = storage.values().bytes() + storage.master_bytes();
  plan.gradients = storage.gradients().bytes();
  for (const Moment& moment : optimizer.moments()) (moment.name == "ema" ? plan.ema : plan.optimizer) += moment.flat.bytes();
  plan.batches = 2 * kLoaderBuffers * batch_bytes(extent);
  plan.activations = arena.peak();
  plan.activations_by_name = arena.peak_by_name();
  if (question.decoding) {
    const SearchProblem search = validation_search(*model, *question.decoding, {}, question.model.source_vocab_size, longest);
    const DecodingMemory decoding = decoding_memory(search, *question.kernels, longest);
    plan.decoding = decoding.arena;
    plan.logits = decoding.host_logits;
  }
  return plan;
}

MemoryPlan fit_micro_batch(const MemoryQuestion& question, std::int64_t batch_rows, std::int64_t limit) {
  const std::int64_t longest = std::max<std::int64_t>(question.model.max_length, 1);
  for (std::int64_t passes = 1;; ++passes) {
    const std::int64_t parts = passes * question.grid.data, part = (batch_rows + parts - 1) / parts;
    if (part <= longest) return measure_memory(question, longest);
    // Sentences do not fill a part to the last token: with room for one more, an update seldom needs a pass more than planned.
    MemoryPlan plan = measure_memory(question, parts == 1 ? part : part + longest);
    if (plan.total() <= limit) return plan;
  }
}

std::string describe(const MemoryPlan& plan) {
  const std::string logits = plan.logits > 0 ? ", logits of a validation " + bytes_text(plan.logits) : "";
  return fmt::format("weights {}, gradients {}, optimizer {}, ema {}, batches {}, activations {}{}, program {}, in all {}",
                     bytes_text(plan.weights), bytes_text(plan.gradients), bytes_text(plan.optimizer), bytes_text(plan.ema),
                     bytes_text(plan.batches), bytes_text(plan.arena()), logits, bytes_text(plan.program), bytes_text(plan.total()));
}

}  // namespace weft

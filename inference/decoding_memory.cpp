#include "inference/decoding_memory.h"

#include <algorithm>
#include <functional>

#include "inference/alignment.h"
#include "inference/decoding_batch.h"
#include "inference/forced_decoding.h"
#include "inference/search/beam_search.h"
#include "runtime/dry_device.h"
#include "runtime/step_state.h"

namespace weft {
namespace {

struct Extremes {
  std::int64_t fewest_steps, most_steps;
  int beams;
  std::int64_t max_source_length;
};

/// What `run` takes for the batches that need most. Hypotheses x steps of a batch is bounded, so one extreme has the most sentences and
/// the other the most steps.
DecodingMemory dry_run(const SearchProblem& problem, const KernelTable& stands_for, const Extremes& extremes,
                       const std::function<void(Context&, const SourceBatch&)>& run) {
  constexpr std::int64_t kEndless = std::int64_t{1} << 46;
  DryDevice device(stands_for);
  const Memory addresses = device.allocate(kEndless, MemoryKind::kDevice);
  const Memory step_state = device.allocate(StepState::kFields * size_of(DType::kFloat64), MemoryKind::kDevice);
  DecodingMemory most;
  for (const std::int64_t steps : {extremes.fewest_steps, extremes.most_steps}) {
    StepArena arena(addresses.data(), kEndless);
    Context ctx{device, device.stream(StreamKind::kCompute), arena, step_state.tensor({StepState::kFields}, DType::kFloat64), false};
    SourceBatch batch{.rows = std::max(problem.batch_size, extremes.max_source_length),
                      .max_source_length = extremes.max_source_length,
                      .max_steps = steps};
    const std::int64_t cache_rows = kCacheRowsPerToken * problem.batch_size, rows_of_one = steps * extremes.beams;
    const std::int64_t sentences = std::min((cache_rows + rows_of_one - 1) / rows_of_one, problem.batch_size);
    batch.sentences.resize(static_cast<std::size_t>(sentences));
    run(ctx, batch);
    most.arena = std::max(most.arena, arena.peak());
    most.host_logits = std::max(most.host_logits, host_logits_bytes(problem, sentences * extremes.beams));
  }
  return most;
}

}  // namespace

DecodingMemory decoding_memory(const SearchProblem& problem, const KernelTable& stands_for, std::int64_t max_source_length) {
  const Extremes extremes{.fewest_steps = problem.limits.longest_output(1),
                          .most_steps = problem.limits.longest_output(max_source_length),
                          .beams = problem.beam_size,
                          .max_source_length = max_source_length};
  DecodingMemory memory = dry_run(problem, stands_for, extremes,
                                  [&](Context& ctx, const SourceBatch& batch) { beam_search_batch(ctx, problem, {}, batch, {}); });
  if (!problem.align) return memory;
  SearchProblem aligning = problem;
  aligning.batch_size = std::max<std::int64_t>(problem.batch_size / kAlignedShare, 1);
  const Extremes aligned{.fewest_steps = 1, .most_steps = extremes.most_steps, .beams = 1, .max_source_length = max_source_length};
  const auto align = [&](Context& ctx, const SourceBatch& batch) { align_batch(ctx, aligning, {}, {}, batch, {}); };
  memory.arena = std::max(memory.arena, dry_run(aligning, stands_for, aligned, align).arena);
  return memory;
}

DecodingMemory scoring_memory(const SearchProblem& search, const KernelTable& stands_for, std::int64_t max_length) {
  const SearchProblem problem = scoring_problem(search, max_length);
  const Extremes extremes{.fewest_steps = std::min(kFewestScoredSteps, problem.limits.max_length),
                          .most_steps = problem.limits.max_length,
                          .beams = 1,
                          .max_source_length = max_length};
  return dry_run(problem, stands_for, extremes,
                 [&](Context& ctx, const SourceBatch& batch) { score_targets_batch(ctx, problem, {}, {}, batch, {}); });
}

}  // namespace weft

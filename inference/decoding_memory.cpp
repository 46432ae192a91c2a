#include "inference/decoding_memory.h"

#include <algorithm>

#include "runtime/dry_device.h"
#include "runtime/step_state.h"

namespace weft {

std::int64_t decoding_arena_bytes(const SearchProblem& problem, const KernelTable& stands_for, std::int64_t max_source_length) {
  constexpr std::int64_t kEndless = std::int64_t{1} << 46;
  DryDevice device(stands_for);
  const Memory addresses = device.allocate(kEndless, MemoryKind::kDevice);
  const Memory step_state = device.allocate(StepState::kFields * size_of(DType::kFloat64), MemoryKind::kDevice);
  std::int64_t peak = 0;
  // Sentences x steps of a batch is bounded, so one extreme has the most sentences and the other the most steps.
  for (const std::int64_t steps : {problem.limits.longest_output(1), problem.limits.longest_output(max_source_length)}) {
    StepArena arena(addresses.data(), kEndless);
    Context ctx{device, device.stream(StreamKind::kCompute), arena, step_state.tensor({StepState::kFields}, DType::kFloat64), false};
    SourceBatch batch{.rows = std::max(problem.batch_size, max_source_length), .max_source_length = max_source_length, .max_steps = steps};
    const std::int64_t sentences = std::min((kCacheRowsPerToken * problem.batch_size + steps - 1) / steps, problem.batch_size);
    batch.sentences.resize(static_cast<std::size_t>(sentences));
    greedy_search_batch(ctx, problem, {}, batch, {});
    peak = std::max(peak, arena.peak());
  }
  return peak;
}

}  // namespace weft

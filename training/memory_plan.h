#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "inference/decoding_config.h"
#include "models/model_config.h"
#include "parallel/mesh.h"
#include "runtime/arena.h"
#include "runtime/kernels/table.h"
#include "state/optimizer_config.h"

namespace weft {

/// What one rank's memory holds, in bytes. Nothing of it is guessed: but for `program`, which is measured, the numbers come from building
/// the model and running one step on the dry device, at the capacity of a micro-batch, by the code that trains.
struct MemoryPlan {
  std::int64_t micro_batch_rows = 0;
  std::int64_t parameters = 0;  // numbers, not bytes
  std::int64_t weights = 0;     // values, and the master weights where they are separate
  std::int64_t gradients = 0;
  std::int64_t optimizer = 0;  // moments
  std::int64_t ema = 0;
  std::int64_t batches = 0;                         // host and device buffers of the loader
  std::int64_t activations = 0;                     // of a step, in the arena
  std::vector<StepArena::Use> activations_by_name;  // at its peak, largest first
  std::int64_t decoding = 0;                        // of a validation that translates, in the same arena; 0: none does
  std::int64_t logits = 0;                          // of such a validation, on the host
  std::int64_t arena() const { return activations > decoding ? activations : decoding; }
  std::int64_t program = 0;  // the program itself, its libraries and MPI, before anything is allocated
  std::int64_t total() const { return weights + gradients + optimizer + ema + batches + arena() + logits + program; }
};

struct MemoryQuestion {
  ModelConfig model;
  OptimizerConfig optimizer;
  DType dtype = DType::kFloat32;
  const KernelTable* kernels = nullptr;  // of the device the plan is for
  ParallelConfig parallel;
  Grid grid{1, 1};                         // of the ranks; the plan is of the first, which holds the most
  std::optional<DecodingConfig> decoding;  // of validation, where it translates
  std::int64_t program_bytes = 0;          // MemoryPlan::program
};

MemoryPlan measure_memory(const MemoryQuestion&, std::int64_t micro_batch_rows);

/// The plan of the fewest passes over `batch_rows` (the most rows of a side in one update of all ranks) that fits into `limit` bytes. A
/// micro-batch must hold the longest sentence; when even that does not fit, the smallest plan is returned, and its total() tells.
MemoryPlan fit_micro_batch(const MemoryQuestion&, std::int64_t batch_rows, std::int64_t limit);

/// `weights 61 MB, gradients 121 MB, ...`
std::string describe(const MemoryPlan&);

}  // namespace weft

#pragma once
#include <memory>

#include "parallel/communicator.h"
#include "parallel/control.h"

namespace weft {

/// Section `parallel` of the configuration.
struct ParallelConfig {
  int data = 0;  // 0: auto, world_size / tensor
  int tensor = 1;
  int zero_stage = 1;
  std::int64_t bucket_mb = 25;
  double memory_limit = 0.9;
  double hang_timeout_seconds = 600;
};

/// The ranks of a job as a grid: rank = dp_rank * tp + tp_rank.
struct Mesh {
  std::unique_ptr<Communicator> world, dp, tp;
  std::unique_ptr<Control> control;
};

/// One rank, alone: nothing is started.
Mesh make_single_mesh();

}  // namespace weft

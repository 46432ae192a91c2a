#pragma once
#include <memory>
#include <string>

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

/// The ranks of a job as a grid: rank = dp_rank * tp + tp_rank. world, dp and tp are groups of their own: a rank calls them one at a time.
struct Mesh {
  std::unique_ptr<Communicator> world, dp, tp;
  std::unique_ptr<Control> control;
  bool tensor_over_network = false;  // ranks of some group of tp are on different hosts
};

struct Grid {
  int data, tensor;
};
/// The grid that the configuration asks for; a user's mistake when it does not fit the number of ranks.
Grid grid_of(const ParallelConfig&, int world_size);
/// `4 ranks`, `4 ranks (data 2 x tensor 2)`
std::string describe(Grid);

/// One rank, alone: nothing is started, and nothing is recorded, since nobody is waited for.
Mesh make_single_mesh();

}  // namespace weft

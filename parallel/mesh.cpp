#include "parallel/mesh.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

Grid grid_of(const ParallelConfig& config, int world_size) {
  if (config.tensor < 1 || world_size % config.tensor != 0) {
    fail_input(fmt::format("parallel.tensor: {}\n  found     {} ranks\n  expected  a divisor of the number of ranks (mpirun -n)",
                           config.tensor, world_size));
  }
  const int data = world_size / config.tensor;
  if (config.data != 0 && config.data != data) {
    fail_input(fmt::format("parallel.data: {}\n  found     {} ranks, parallel.tensor {}\n  expected  {}, auto, or mpirun -n {}",
                           config.data, world_size, config.tensor, data, config.data * config.tensor));
  }
  return {data, config.tensor};
}

}  // namespace weft

#include "parallel/mesh.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

Grid grid_of(const ParallelConfig& config, int world_size) {
  if (config.tensor < 1 || world_size % config.tensor != 0) {
    std::string divisors;
    for (int n = 1; n <= world_size; ++n) {
      if (world_size % n == 0) divisors += fmt::format("{}{}", n == 1 ? "" : ", ", n);
    }
    fail_input(fmt::format("parallel.tensor: {0} does not divide the number of ranks = {1}\n  expected  {2}, or mpirun -n {3}",
                           config.tensor, world_size, divisors, (world_size / config.tensor + 1) * config.tensor));
  }
  const int data = world_size / config.tensor;
  if (config.data != 0 && config.data != data) {
    fail_input(fmt::format("parallel.data: {}\n  found     {} ranks, parallel.tensor {}\n  expected  {}, auto, or mpirun -n {}",
                           config.data, world_size, config.tensor, data, config.data * config.tensor));
  }
  return {data, config.tensor};
}

std::string describe(Grid grid) {
  const int ranks = grid.data * grid.tensor;
  return fmt::format("{} rank{}", ranks, ranks == 1 ? "" : "s") +
         (grid.tensor == 1 ? "" : fmt::format(" (data {} x tensor {})", grid.data, grid.tensor));
}

}  // namespace weft

#pragma once
#include <cstdint>

namespace weft {

/// How far a run has come, in everything that limits and frequencies count. The same on every rank and in every layout.
struct RunCounts {
  std::int64_t step = 0;           // updates done
  std::int64_t target_tokens = 0;  // tokens the loss was taken over, end tokens included
  double epochs = 0;               // whole passes over the data, and the part of the one in progress
};

}  // namespace weft

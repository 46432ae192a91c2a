#pragma once
#include <optional>

#include "launcher/watchdog.h"

namespace weft {

/// Progress of this rank and who looks at it. It outlives the session of MPI, whose end waits for all ranks: one that stands still there
/// would hold the others, and mpirun, for good.
struct RankWatch {
  Progress progress;
  std::optional<Watchdog> watchdog;
};

}  // namespace weft

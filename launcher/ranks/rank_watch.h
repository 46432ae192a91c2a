#pragma once
#include <memory>
#include <optional>
#include <string>

#include "launcher/ranks/watchdog.h"
#include "parallel/flight_record.h"

namespace weft {

/// Progress of this rank, its collectives, and who looks at them. It begins before the session of MPI and outlives it: both its ends wait
/// for all ranks, and one that stands still there would hold the others, and mpirun, for good.
class RankWatch {
 public:
  /// `run_dir` gets the flight record of a hang, once it is there.
  void start(double hang_timeout_seconds, const std::string& run_dir);

  Progress progress;
  const std::shared_ptr<FlightRecord> record = std::make_shared<FlightRecord>(&progress);

 private:
  std::optional<Watchdog> watchdog_;
};

}  // namespace weft

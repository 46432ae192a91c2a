#include "launcher/ranks/rank_watch.h"

#include "launcher/ranks/environment.h"
#include "runtime/host_name.h"

namespace weft {

void RankWatch::start(double hang_timeout_seconds, const std::string& run_dir) {
  Watchdog::Options options{.hang_timeout_seconds = hang_timeout_seconds, .rank = rank_by_mpi(), .host = host_name(), .run_dir = run_dir};
  if (started_by_mpi()) {  // one that runs alone waits for nobody
    options.last_collective = [this] { return record->last(); };
    options.write_record = [this](const std::string& path) { record->write(path); };
  }
  watchdog_.emplace(progress, std::move(options));
}

}  // namespace weft

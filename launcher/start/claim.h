#pragma once
#include <optional>
#include <string>

#include "launcher/start/run_files.h"
#include "launcher/start/start_up.h"
#include "state/checkpoint/run_lock.h"

namespace weft {

/// A run directory that belongs to this job.
struct Claim {
  std::optional<RunLock> lock;    // of rank 0
  std::optional<RunFiles> files;  // of rank 0
  std::string initial;            // the checkpoint that checkpoint.init_from names; empty: none, or the run has checkpoints of its own
};

/// Phase 3, by rank 0 for all: makes the directory, locks it, looks whose files lie there, and removes what a killed save has left.
Claim claim_run_directory(const StartUp&);

/// Creates the folder, with mode 0700 and its parents, when it is not there. What cannot be made fails with exit 64.
void make_run_directory(const std::string& run_dir);

}  // namespace weft

#pragma once
#include <string>
#include <vector>

#include "launcher/supervise/command.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"

namespace weft {

/// A job that is kept going until it is done. The supervisor is one thread that calls neither MPI nor OpenMP.
struct SupervisedJob {
  JobCommand command;
  std::string program;             // what its ranks run
  int ranks = 1;                   // more than one: under mpirun
  std::vector<std::string> hosts;  // of the hostfile; empty: this host alone
  std::string run_dir;
  int max_relaunches = 10;          // within any hour
  double start_seconds = 7200;      // until rank 0 has taken the run directory; then the start is killed
  double stop_grace_seconds = 600;  // from the request to stop until the job is killed; a second request ends it at once
};

/// Starts the job, relaunches it as RelaunchPolicy says, and returns what the process exits with. The stop signals (SIGTERM, SIGINT,
/// SIGUSR1, SIGHUP) reach the ranks as SIGUSR1, which saves and ends with 75. An mpirun that stays 10 s longer than the first of its ranks,
/// or than the grace, is killed with all it started. Asked to stop before there are ranks, it kills at once: nothing is to be saved. A job
/// on several hosts that never had a rank is not started again: some host cannot be reached. After a hang the log names the rank that the
/// flight records point at. Once saves failed for want of space (79) the next start waits until the newest checkpoint would fit once more.
int supervise(const SupervisedJob&, Storage&, Log&);

}  // namespace weft

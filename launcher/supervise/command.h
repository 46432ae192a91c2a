#pragma once
#include <map>
#include <string>
#include <vector>

namespace weft {

/// What to start, ready for exec.
struct JobCommand {
  std::vector<std::string> arguments;  // first the path of the program
  std::map<std::string, std::string> environment;
};

/// The machine that `weft launch` runs on.
struct LaunchHost {
  std::string program;  // the weft executable
  int cores = 1;        // that this process may use
  bool root = false;
  std::map<std::string, std::string> environment;
};

/// Asks the operating system: /proc/self/exe, the affinity mask, the environment.
LaunchHost this_host();

/// Slots of a hostfile of Open MPI. Fails with exit 64 when it cannot be read or names no host.
struct HostSlots {
  int total = 0, largest = 0;  // 0: some host does not say
  std::vector<std::string> hosts;
};
HostSlots read_hostfile(const std::string& path);

struct LaunchRequest {
  int ranks = 1;
  std::string hostfile;                     // empty: this host alone
  std::vector<std::string> weft_arguments;  // "train", "--config", ...
};

/// One rank: the program itself. More: mpirun, found in PATH, without binding and with an immediate end of all ranks when one dies.
/// OMP_NUM_THREADS becomes the cores of a host / its ranks, and OMP_WAIT_POLICY passive where threads outnumber cores, unless the
/// user has set them. ssh gives up on a host after 10 s and asks nothing, unless the user has set how mpirun reaches hosts. Fails with exit
/// 64 without mpirun, and with more ranks than the slots of the hostfile.
JobCommand make_job_command(const LaunchRequest&, const LaunchHost&);

}  // namespace weft

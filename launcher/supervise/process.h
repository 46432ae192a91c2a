#pragma once
#include <sys/types.h>

#include <optional>
#include <set>
#include <string>
#include <vector>

#include "launcher/supervise/command.h"

namespace weft {

/// A file, whatever its name is by now.
struct FileId {
  dev_t device;
  ino_t number;
  bool operator==(const FileId&) const = default;
};

/// A started job: mpirun or the program itself, a child in a process group of its own, which gets SIGTERM when this process dies.
class JobProcess {
 public:
  /// `program`: what the ranks run. This process becomes the parent of what its children leave behind, so that ranks whose mpirun was
  /// killed stay in reach; from now on it hears of children that end, whatever its own parent had set.
  JobProcess(const JobCommand&, const std::string& program);
  /// Nothing of the job is left afterwards.
  ~JobProcess() { kill_all(); }
  JobProcess(const JobProcess&) = delete;
  JobProcess& operator=(const JobProcess&) = delete;

  pid_t pid() const { return pid_; }
  /// Once the job has ended: its exit code, or 128 + the signal that killed it.
  std::optional<int> poll();
  /// A signal has ended the job itself; mpirun, which exits with 128 + the signal of a rank, may die too.
  bool killed() const { return killed_; }
  void send(int signal) const;
  /// How many ranks run: children of mpirun that were seen running the program, as it was at the start, whatever has been put in its place
  /// since; or the job itself.
  int count_ranks();
  /// SIGKILL to the job, its process group and everything it left behind, until nothing is left, for 10 seconds at most.
  void kill_all();

 private:
  bool reap();

  const std::optional<FileId> program_;
  const bool is_rank_;     // no mpirun
  std::set<pid_t> ranks_;  // that were seen
  pid_t pid_ = -1;
  std::optional<int> code_;
  bool killed_ = false;
};

/// Processes whose parent is `parent`, but for those that have ended.
std::vector<pid_t> children_of(pid_t parent);

}  // namespace weft

#pragma once
#include <functional>
#include <string>

#include "launcher/ranks/rank_watch.h"
#include "parallel/mpi/mpi_mesh.h"
#include "runtime/log.h"

namespace weft {

/// The most that --ranks and -n may ask for.
inline constexpr int kMostRanks = 1 << 20;

/// The ranks of this process's job, as mpirun started them; one rank where it did not.
class Job {
 public:
  /// A collective of all ranks of the session, which ends before the watch.
  Job(const MpiSession&, const ParallelConfig&, RankWatch&);
  Job(const Job&) = delete;
  Job& operator=(const Job&) = delete;

  int rank() const { return control().rank(); }
  int size() const { return control().size(); }
  bool is_root() const { return rank() == 0; }
  Control& control() const { return *mesh_.control; }
  Mesh& mesh() { return mesh_; }
  /// The same ranks as another grid, whose sizes multiply to size(). A collective.
  Mesh mesh_of(Grid) const;
  Progress& progress() { return watch_.progress; }
  const std::string& host() const { return host_; }
  int ranks_on_host() const { return ranks_on_host_; }
  Grid grid() const { return {mesh_.dp->size(), mesh_.tp->size()}; }
  bool tensor_over_network() const { return mesh_.tensor_over_network; }
  /// Empty, or why ranks of one host exchange over messages: right, but slower.
  const std::string& slow_transport() const { return slow_transport_; }

 private:
  const MpiSession& session_;
  RankWatch& watch_;
  std::string slow_transport_;
  Mesh mesh_;
  std::string host_;
  int ranks_on_host_ = 1;
};

/// Runs `body` on every rank that mpirun has started, or alone, and returns the exit code. Where the ranks fail together, rank 0 says why;
/// a failure that only one rank knows of ends all of them at once, with its code. `watch` began before the session and outlives it.
int on_ranks(RankWatch& watch, const ParallelConfig&, const std::function<int(Job&)>& body);
/// The same for a verb without configuration, and without a watchdog.
int on_ranks(const std::function<int(Job&)>& body);
/// The same for a verb without parallel work: rank 0 runs it, the others wait and end with its code.
int on_one_rank(const std::function<int(const Job&)>& body);

/// Rank 0 says all; the others warn, with their name.
Log make_log(const Job&);

}  // namespace weft

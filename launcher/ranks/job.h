#pragma once
#include <string>

#include "launcher/ranks/rank_watch.h"
#include "parallel/mpi/mpi_mesh.h"
#include "runtime/log.h"

namespace weft {

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
  Progress& progress() { return watch_.progress; }
  const std::string& host() const { return host_; }
  int ranks_on_host() const { return ranks_on_host_; }
  /// Empty, or why ranks of one host exchange over messages: right, but slower.
  const std::string& slow_transport() const { return slow_transport_; }

 private:
  RankWatch& watch_;
  std::string slow_transport_;
  Mesh mesh_;
  std::string host_;
  int ranks_on_host_ = 1;
};

/// Rank 0 says all; the others warn, with their name.
Log make_log(const Job&);

}  // namespace weft

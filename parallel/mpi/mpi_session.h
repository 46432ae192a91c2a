#pragma once
#include "runtime/exit_code.h"

namespace weft {

/// MPI from its start to its end; one for the process, held by main, on the main thread. Whatever uses MPI dies before it.
class MpiSession {
 public:
  /// With `under_mpirun` false nothing is started, and everything below does nothing: a rank that runs alone pays nothing for MPI. The
  /// caller knows from the environment: mpirun sets OMPI_COMM_WORLD_SIZE, PMI_SIZE or PMIX_RANK.
  explicit MpiSession(bool under_mpirun);
  /// Ends MPI, waiting for the other ranks. While an exception is in flight it ends all ranks with exit code 1 instead: the others may wait
  /// for this one. A caller that knows a better code catches the exception first and calls abort.
  ~MpiSession();
  MpiSession(const MpiSession&) = delete;
  MpiSession& operator=(const MpiSession&) = delete;

  bool started() const { return started_; }
  /// The number of this rank, known without the other ranks. 0 when nothing was started.
  int rank() const;
  /// Ends this rank and all others at once; mpirun returns the code.
  [[noreturn]] void abort(ExitCode) const;

 private:
  bool started_;
};

}  // namespace weft

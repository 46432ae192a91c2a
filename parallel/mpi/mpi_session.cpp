#include "parallel/mpi/mpi_session.h"

#include <cstdlib>
#include <exception>

#include <fmt/format.h>
#include <mpi.h>

#include "runtime/error.h"

namespace weft {

MpiSession::MpiSession(bool under_mpirun) : started_(under_mpirun) {
  if (!under_mpirun) return;
  int granted = MPI_THREAD_SINGLE;
  if (MPI_Init_thread(nullptr, nullptr, MPI_THREAD_FUNNELED, &granted) != MPI_SUCCESS) fail("MPI_Init_thread failed");
  if (granted < MPI_THREAD_FUNNELED) {
    MPI_Finalize();
    fail(fmt::format("this MPI grants thread level {} where a process with threads needs {} (MPI_THREAD_FUNNELED)", granted,
                     static_cast<int>(MPI_THREAD_FUNNELED)));
  }
}

MpiSession::~MpiSession() {
  if (!started_) return;
  if (std::uncaught_exceptions() > 0) abort(ExitCode::kInternal);
  MPI_Finalize();
}

int MpiSession::rank() const {
  int rank = 0;
  if (started_) MPI_Comm_rank(MPI_COMM_WORLD, &rank);
  return rank;
}

void MpiSession::abort(ExitCode code) const {
  if (started_) MPI_Abort(MPI_COMM_WORLD, static_cast<int>(code));
  std::_Exit(static_cast<int>(code));
}

}  // namespace weft

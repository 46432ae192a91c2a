// Preloaded into the ranks by hang_at_end_test.sh: rank 1 is stopped when it is about to end MPI, its threads with it.
#include <mpi.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

extern "C" int MPI_Finalize() {
  const char* rank = std::getenv("OMPI_COMM_WORLD_RANK");
  if (rank != nullptr && std::string_view(rank) == "1") std::raise(SIGSTOP);
  return PMPI_Finalize();
}

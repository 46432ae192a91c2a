// Preloaded into the ranks by hang_at_ends_test.sh: rank 1 is stopped, its threads with it, once, where it would start MPI, or before or
// after it ends MPI. STOP_RANK: start, before_end or after_end. STOP_ONCE: a file that is not there yet.
#include <fcntl.h>
#include <mpi.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string_view>

namespace {

std::string_view variable(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void stop_once(std::string_view when) {
  if (variable("OMPI_COMM_WORLD_RANK") != "1" || variable("STOP_RANK") != when) return;
  const int file = open(std::getenv("STOP_ONCE"), O_CREAT | O_EXCL, 0600);
  if (file < 0) return;
  close(file);
  std::raise(SIGSTOP);
}

}  // namespace

extern "C" int MPI_Init_thread(int* count, char*** arguments, int required, int* provided) {
  stop_once("start");
  return PMPI_Init_thread(count, arguments, required, provided);
}

extern "C" int MPI_Finalize() {
  stop_once("before_end");
  const int result = PMPI_Finalize();
  stop_once("after_end");
  return result;
}

// How a job ends: mpirun -n 2 mpi_end abort|throw, or mpi_end alone without mpirun. mpi_end_test.sh looks at the exit code.
#include <cstdio>
#include <string>

#include "parallel/mpi/mpi_mesh.h"
#include "runtime/cpu_device.h"
#include "runtime/error.h"
#include "runtime/kernels/table.h"

namespace weft {
namespace {

void run(const std::string& how) {
  const MpiSession session(how != "alone");
  const Mesh mesh = make_mesh(session, {}, std::make_shared<FlightRecord>());
  CpuDevice device(reference_kernels());
  const Memory memory = mesh.dp->allocate(device, 1 << 20);
  mesh.world->barrier(device.stream(StreamKind::kCompute));
  if (mesh.world->rank() == 1 && how == "abort") session.abort(ExitCode::kNumerics);
  if (mesh.world->rank() == 1 && how == "throw") fail("on purpose");
  if (how != "alone") mesh.world->barrier(device.stream(StreamKind::kCompute));  // the other rank never comes
  std::printf("%d rank\n", mesh.world->size());
}

}  // namespace
}  // namespace weft

int main(int, char** arguments) {
  try {
    weft::run(arguments[1]);
  } catch (const weft::Error& error) {
    std::puts(error.what());
    return 99;
  }
  return 0;
}

#pragma once

namespace weft {

/// Set where the stderr of a job ends at a terminal, whatever stands between.
inline constexpr const char* kTerminalVariable = "WEFT_TERMINAL";

/// What mpirun, or srun, says to a process that it starts, known before MPI is.
bool started_by_mpi();
/// The number of this rank; 0 for one that runs alone.
int rank_by_mpi();

}  // namespace weft

#pragma once

namespace weft {

/// What mpirun, or srun, says to a process that it starts, known before MPI is.
bool started_by_mpi();
/// The number of this rank; 0 for one that runs alone.
int rank_by_mpi();

}  // namespace weft

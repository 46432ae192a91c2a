#pragma once
#include <functional>
#include <memory>
#include <string>

#include "parallel/flight_record.h"
#include "parallel/mesh.h"
#include "parallel/mpi/mpi_session.h"

namespace weft {

struct MpiOptions {
  /// Told once, on rank 0, when ranks of one host cannot share memory and exchange everything over MPI instead: right, but slower.
  std::function<void(const std::string&)> say;
  /// False: as if /dev/shm had no room. For tests.
  bool share_memory = true;
  /// As if each host had this many ranks; 0: as they are. For tests.
  int ranks_per_host = 0;
};

/// The mesh of this rank: alone when the session was not started. A collective of all ranks; the same failure on each of them when the grid
/// does not fit. Ranks of one host share memory, hosts exchange over MPI. Destroyed before the session. Of several ranks every collective
/// is recorded.
Mesh make_mesh(const MpiSession&, const ParallelConfig&, std::shared_ptr<FlightRecord>, const MpiOptions& = {});

}  // namespace weft

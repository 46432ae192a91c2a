#pragma once
#include <memory>
#include <string>

#include "parallel/communicator.h"
#include "parallel/mpi/mpi_group.h"
#include "parallel/mpi/mpi_mesh.h"

namespace weft {

/// What the communicators of one rank have in common.
struct MpiRank {
  std::shared_ptr<FlightRecord> record;
  MpiOptions options;     // `say` only on rank 0 of the job, and until it has spoken
  std::int64_t host = 0;  // a number that ranks of one host have in common, and no others
};

/// The verbs for one group of processes: alone, over memory shared inside a host, over messages, or both. A collective.
std::unique_ptr<Communicator> make_mpi_communicator(MpiGroup, std::string name, const std::shared_ptr<MpiRank>&);

/// Over messages, wherever the ranks are. A sum travels as chunks (all_to_all), is added in rank order, and travels back (all_gather): what
/// a ring moves too, and the bits of shared memory, which the reductions of MPI do not promise. Signatures are compared before.
std::unique_ptr<Communicator> make_message_communicator(MpiGroup, std::string name, const std::shared_ptr<MpiRank>&);

/// Over shared memory; null when it cannot be had, on every rank. All ranks of the group are on one host.
std::unique_ptr<Communicator> make_shared_memory_communicator(MpiGroup, std::string name, const std::shared_ptr<MpiRank>&);

/// Ranks of several hosts: each host works on its own first, the first ranks of the hosts exchange messages, and tell their hosts. A sum
/// adds in rank order inside a host, then the hosts in the order of their first ranks; bfloat16 is summed in float throughout. Every rank
/// gets the same bits, the same in every run.
std::unique_ptr<Communicator> make_multi_host_communicator(MpiGroup, std::string name, const std::shared_ptr<MpiRank>&);

/// Its messages stand in the flight record, as those of the group `control`.
std::unique_ptr<Control> make_mpi_control(MpiGroup, std::shared_ptr<FlightRecord>);

}  // namespace weft

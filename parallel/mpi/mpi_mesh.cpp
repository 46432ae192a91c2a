#include "parallel/mpi/mpi_mesh.h"

#include <utility>

#include "parallel/mpi/mpi_communicator.h"
#include "runtime/error.h"

namespace weft {

namespace {

/// The number in the job of the first rank on this host.
std::int64_t host_number(const MpiGroup& world, const MpiOptions& options) {
  if (options.ranks_per_host > 0) return world.rank() / options.ranks_per_host;
  std::int64_t first = world.rank();
  world.on_this_host().broadcast(reinterpret_cast<std::byte*>(&first), sizeof(first), 0);
  return first;
}

bool crosses_hosts(const MpiGroup& world, const MpiGroup& tp, std::int64_t host) {
  std::int64_t extremes[] = {host, -host};
  tp.maximum(extremes);
  std::int64_t crosses[] = {extremes[0] == -extremes[1] ? 0 : 1};
  world.maximum(crosses);
  return crosses[0] != 0;
}

}  // namespace

std::unique_ptr<Communicator> make_mpi_communicator(MpiGroup group, std::string name, const std::shared_ptr<MpiRank>& rank) {
  if (group.size() == 1) return make_self_communicator();
  std::int64_t extremes[] = {rank->host, -rank->host};
  group.maximum(extremes);
  if (extremes[0] != -extremes[1]) return make_multi_host_communicator(std::move(group), std::move(name), rank);
  std::unique_ptr<Communicator> shared = make_shared_memory_communicator(group, name, rank);
  if (shared) return shared;
  return make_message_communicator(std::move(group), std::move(name), rank);
}

Mesh make_mesh(const MpiSession& session, const ParallelConfig& config, std::shared_ptr<FlightRecord> record, const MpiOptions& options) {
  if (!session.started()) {
    grid_of(config, 1);
    return make_single_mesh();
  }
  const MpiGroup world = MpiGroup::world();
  const Grid grid = grid_of(config, world.size());
  auto rank = std::make_shared<MpiRank>();
  rank->record = std::move(record);
  rank->options = options;
  rank->host = host_number(world, options);
  if (world.rank() != 0) rank->options.say = nullptr;
  Mesh mesh;
  const MpiGroup dp = world.split(world.rank() % grid.tensor), tp = world.split(world.rank() / grid.tensor);
  mesh.tensor_over_network = crosses_hosts(world, tp, rank->host);
  mesh.world = make_mpi_communicator(world, "world", rank);
  // Ranks of a tp group hold some gradients alike, and their sums over dp must have the same bits. Where the group crosses hosts, their dp
  // groups may be dealt to the hosts in different ways: only messages then add in one order.
  mesh.dp = mesh.tensor_over_network && dp.size() > 1 ? make_message_communicator(dp, "dp", rank) : make_mpi_communicator(dp, "dp", rank);
  mesh.tp = make_mpi_communicator(tp, "tp", rank);
  mesh.control = make_mpi_control(world.split(0), rank->record);
  return mesh;
}

}  // namespace weft

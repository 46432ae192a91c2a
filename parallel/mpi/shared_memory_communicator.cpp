#include <new>
#include <utility>

#include <fmt/format.h>

#include "parallel/mpi/host_memory.h"
#include "parallel/mpi/mpi_communicator.h"
#include "parallel/shared_communicator.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::int64_t kStagingBytes = 1 << 20;  // of each rank and group: about what stays in a second-level cache

std::int64_t staging_offset(int size) {
  return (SharedArea::control_bytes(size) + 4095) / 4096 * 4096;
}

/// Every segment has room for the control block; the first rank's is used.
SharedArea area_in(const std::shared_ptr<HostMemory>& memory, const MpiGroup& group) {
  SharedArea area{.rank = group.rank(), .size = group.size(), .control = memory->segments()[0], .owner = memory};
  for (std::byte* segment : memory->segments()) area.staging.push_back(segment + staging_offset(group.size()));
  const std::int64_t grain = std::int64_t{64} * group.size();
  area.staging_bytes = kStagingBytes / grain * grain;
  return area;
}

class SharedMemoryCommunicator : public SharedCommunicator {
 public:
  SharedMemoryCommunicator(const std::shared_ptr<HostMemory>& memory, MpiGroup group, std::string name, std::shared_ptr<MpiRank> rank)
      : SharedCommunicator(area_in(memory, group), std::move(name), rank->record), group_(std::move(group)), rank_(std::move(rank)) {}

  /// A window: this rank's segment, and those of the others. Where there is no room left, the device's memory, which goes through staging.
  Memory allocate(Device& device, std::int64_t bytes) override {
    if (!device.computes()) return device.allocate(bytes, MemoryKind::kDevice);  // made-up addresses: nothing to share
    std::int64_t sizes[] = {bytes, -bytes};
    group_.maximum(sizes);
    if (sizes[0] != -sizes[1]) fail(fmt::format("{}: the ranks allocate {} to {} bytes of shared memory", name(), -sizes[1], sizes[0]));
    std::string cause;
    std::shared_ptr<HostMemory> memory = HostMemory::map(group_, bytes, cause);
    if (!memory) {
      say_once(*rank_, fmt::format("{}: copied through {} bytes of it in pieces, slower", cause, kStagingBytes));
      return device.allocate(bytes, MemoryKind::kDevice);
    }
    return window_memory(std::move(memory), bytes);
  }

  static void say_once(MpiRank& rank, const std::string& text) {
    if (rank.options.say) std::exchange(rank.options.say, nullptr)(text);
  }

 private:
  Memory window_memory(std::shared_ptr<HostMemory> memory, std::int64_t bytes) {
    std::vector<std::uintptr_t> bases;
    for (std::byte* segment : memory->segments()) bases.push_back(reinterpret_cast<std::uintptr_t>(segment));
    std::byte* mine = memory->segments()[static_cast<std::size_t>(rank())];
    auto forget = window_remover(add_window(std::move(bases), bytes));
    return Memory(mine, bytes, [memory, forget](std::byte*) mutable {
      forget();
      memory.reset();
    });
  }

  MpiGroup group_;
  std::shared_ptr<MpiRank> rank_;
};

}  // namespace

std::unique_ptr<Communicator> make_shared_memory_communicator(MpiGroup group, std::string name, const std::shared_ptr<MpiRank>& rank) {
  std::string cause = "switched off";
  std::shared_ptr<HostMemory> memory;
  if (rank->options.share_memory) memory = HostMemory::map(group, staging_offset(group.size()) + kStagingBytes, cause);
  if (!memory) {
    SharedMemoryCommunicator::say_once(*rank,
                                       fmt::format("no shared memory among the ranks of this host ({}): messages instead, slower", cause));
    return nullptr;
  }
  return std::make_unique<SharedMemoryCommunicator>(memory, std::move(group), std::move(name), rank);
}

}  // namespace weft

#include "parallel/threads/thread_communicator.h"

#include <atomic>
#include <exception>
#include <functional>
#include <limits>
#include <memory>
#include <mutex>
#include <new>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "parallel/shared_communicator.h"
#include "parallel/threads/thread_control.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// What the threads of one group share.
class ThreadGroup {
 public:
  ThreadGroup(int size, const std::atomic<bool>& failed)
      : failed_(failed), size_(size), control_(static_cast<std::size_t>(SharedArea::control_bytes(size)) / sizeof(Line) + 1) {
    new (control_.data()) SharedBarrier;
  }
  int size() const { return size_; }
  std::byte* control() { return reinterpret_cast<std::byte*>(control_.data()); }
  const std::atomic<bool>& failed() const { return failed_; }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  const std::atomic<bool>& failed_;
  int size_;
  std::vector<Line> control_;
};

SharedArea area_of(const std::shared_ptr<ThreadGroup>& group, int rank) {
  return {.rank = rank, .size = group->size(), .control = group->control(), .failed = &group->failed(), .owner = group};
}

class ThreadCommunicator : public SharedCommunicator {
 public:
  ThreadCommunicator(std::shared_ptr<ThreadGroup> group, int rank, std::string name, std::shared_ptr<FlightRecord> record)
      : SharedCommunicator(area_of(group, rank), std::move(name), std::move(record)), group_(std::move(group)) {
    // Threads share all their memory: one window of every address.
    add_window(std::vector<std::uintptr_t>(static_cast<std::size_t>(group_->size())), std::numeric_limits<std::int64_t>::max());
  }
  Memory allocate(Device& device, std::int64_t bytes) override { return device.allocate(bytes, MemoryKind::kDevice); }

 private:
  std::shared_ptr<ThreadGroup> group_;
};

/// The groups of a grid of threads.
class ThreadGrid {
 public:
  ThreadGrid(Grid grid, const std::atomic<bool>& failed)
      : grid_(grid),
        world_(std::make_shared<ThreadGroup>(grid.data * grid.tensor, failed)),
        dp_(make_groups(grid.tensor, grid.data, failed)),
        tp_(make_groups(grid.data, grid.tensor, failed)) {}

  Mesh mesh(int rank, ThreadTable& table) const {
    const auto record = std::make_shared<FlightRecord>();
    const int dp_rank = rank / grid_.tensor, tp_rank = rank % grid_.tensor;
    return {std::make_unique<ThreadCommunicator>(world_, rank, "world", record),
            std::make_unique<ThreadCommunicator>(dp_[static_cast<std::size_t>(tp_rank)], dp_rank, "dp", record),
            std::make_unique<ThreadCommunicator>(tp_[static_cast<std::size_t>(dp_rank)], tp_rank, "tp", record),
            make_thread_control(table, rank)};
  }

 private:
  static std::vector<std::shared_ptr<ThreadGroup>> make_groups(int count, int size, const std::atomic<bool>& failed) {
    std::vector<std::shared_ptr<ThreadGroup>> groups;
    for (int i = 0; i < count; ++i) groups.push_back(std::make_shared<ThreadGroup>(size, failed));
    return groups;
  }

  Grid grid_;
  std::shared_ptr<ThreadGroup> world_;
  std::vector<std::shared_ptr<ThreadGroup>> dp_, tp_;  // dp_ by tp rank, tp_ by dp rank
};

}  // namespace

void run_ranks(int ranks, const ParallelConfig& config, const std::function<void(Mesh&)>& body) {
  std::atomic<bool> failed = false;
  const ThreadGrid grid(grid_of(config, ranks), failed);
  ThreadTable table(ranks, failed);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        Mesh mesh = grid.mesh(rank, table);
        body(mesh);
      } catch (...) {  // handed on, by the thread that joins
        const std::lock_guard lock(mutex);
        if (!first) first = std::current_exception();
        failed.store(true, std::memory_order_release);
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  if (first) std::rethrow_exception(first);
}

void run_ranks(int ranks, const std::function<void(Mesh&)>& body) {
  run_ranks(ranks, {}, body);
}

}  // namespace weft

#include "parallel/threads/thread_communicator.h"

#include <algorithm>
#include <exception>
#include <limits>
#include <mutex>
#include <new>
#include <thread>
#include <utility>

#include <fmt/format.h>

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

  /// The part of this group with this colour; the first of its ranks makes it.
  std::shared_ptr<ThreadGroup> child(int color, int size) {
    const std::lock_guard lock(mutex_);
    std::shared_ptr<ThreadGroup>& child = children_[color];
    if (!child) child = std::make_shared<ThreadGroup>(size, failed_);
    return child;
  }
  /// Before the next split, when every rank has its part.
  void forget_children() {
    const std::lock_guard lock(mutex_);
    children_.clear();
  }

 private:
  struct alignas(64) Line {
    std::byte bytes[64];
  };
  const std::atomic<bool>& failed_;
  int size_;
  std::vector<Line> control_;
  std::mutex mutex_;
  std::map<int, std::shared_ptr<ThreadGroup>> children_;
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
  std::unique_ptr<Communicator> split(int color) override { return split(color, fmt::format("{}.{}", name(), color)); }

  std::unique_ptr<Communicator> split(int color, std::string child_name) {
    const std::vector<int> colors = exchange_colors(color);
    const auto size = static_cast<int>(std::count(colors.begin(), colors.end(), color));
    const auto child_rank = static_cast<int>(std::count(colors.begin(), colors.begin() + rank(), color));
    std::shared_ptr<ThreadGroup> child = group_->child(color, size);
    wait();
    if (rank() == 0) group_->forget_children();
    wait();
    return std::make_unique<ThreadCommunicator>(std::move(child), child_rank, std::move(child_name), record());
  }

 private:
  std::shared_ptr<ThreadGroup> group_;
};

Mesh make_thread_mesh(const std::shared_ptr<ThreadGroup>& world, ThreadTable& table, int rank, const ParallelConfig& config) {
  const Grid grid = grid_of(config, world->size());
  Mesh mesh;
  auto all = std::make_unique<ThreadCommunicator>(world, rank, "world", std::make_shared<FlightRecord>());
  mesh.dp = all->split(rank % grid.tensor, "dp");
  mesh.tp = all->split(rank / grid.tensor, "tp");
  mesh.world = std::move(all);
  mesh.control = make_thread_control(table, rank);
  return mesh;
}

}  // namespace

void run_ranks(int ranks, const ParallelConfig& config, const std::function<void(Mesh&)>& body) {
  std::atomic<bool> failed = false;
  const auto world = std::make_shared<ThreadGroup>(ranks, failed);
  ThreadTable table(ranks, failed);
  std::mutex mutex;
  std::exception_ptr first;
  std::vector<std::thread> threads;
  for (int rank = 0; rank < ranks; ++rank) {
    threads.emplace_back([&, rank] {
      try {
        Mesh mesh = make_thread_mesh(world, table, rank, config);
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

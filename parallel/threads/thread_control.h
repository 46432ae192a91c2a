#pragma once
#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "parallel/control.h"
#include "parallel/shared_barrier.h"

namespace weft {

/// Where the threads of a job lay down bytes for each other.
class ThreadTable {
 public:
  ThreadTable(int ranks, const std::atomic<bool>& failed) : failed_(failed), bytes_(static_cast<std::size_t>(ranks)) {}
  int ranks() const { return static_cast<int>(bytes_.size()); }
  /// A collective: the bytes of every rank, by rank.
  std::vector<std::string> exchange(int rank, std::string bytes);

 private:
  const std::atomic<bool>& failed_;
  SharedBarrier barrier_;
  std::vector<std::string> bytes_;
};

/// For the calling thread alone: a call from another one fails. `table` outlives it.
std::unique_ptr<Control> make_thread_control(ThreadTable& table, int rank);

}  // namespace weft

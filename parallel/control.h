#pragma once
#include <cstdint>
#include <string>
#include <vector>

namespace weft {

/// Host bytes between ranks; only from the main thread, only between steps.
class Control {
 public:
  virtual ~Control() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  virtual std::string broadcast(std::string bytes, int root) = 0;
  /// On rank `root` the bytes of every rank, by rank; elsewhere empty.
  virtual std::vector<std::string> gather(std::string bytes, int root) = 0;
  /// Element-wise maximum over all ranks, the same on every rank.
  virtual std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) = 0;
};

}  // namespace weft

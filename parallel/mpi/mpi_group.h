#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace weft {

/// A communicator of MPI and the few of its calls that Weft needs, in bytes. Every call but send and receive is a collective. Only the main
/// thread calls it. A failing call fails with MPI's own words. <mpi.h> stays in the .cpp file.
class MpiGroup {
 public:
  /// No call moves more at once: above, Open MPI maps and faults a fresh buffer each time (measured).
  static constexpr std::int64_t kPieceBytes = 8 << 20;

  /// All ranks of the job. Needs a started MpiSession.
  static MpiGroup world();
  int rank() const { return rank_; }
  int size() const { return size_; }
  /// Ranks of one colour, in their order here.
  MpiGroup split(int color) const;
  /// Ranks that can share memory with this one.
  MpiGroup on_this_host() const;

  void broadcast(std::byte* data, std::int64_t bytes, int root) const;
  /// `bytes` of each rank, by rank. bytes * size is at most kPieceBytes, here and below.
  void all_gather(const std::byte* mine, std::byte* all, std::int64_t bytes) const;
  /// Block k of `from` goes to rank k; block k of `to` comes from rank k. A block has `bytes`.
  void all_to_all(const std::byte* from, std::byte* to, std::int64_t bytes) const;
  /// Element-wise, in place. The same number of values on every rank.
  void maximum(std::span<std::int64_t> values) const;
  void send(const std::byte* data, std::int64_t bytes, int to) const;
  void receive(std::byte* data, std::int64_t bytes, int from) const;

 private:
  struct Handle;
  explicit MpiGroup(std::shared_ptr<Handle> handle);
  std::shared_ptr<Handle> handle_;
  int rank_ = 0, size_ = 1;
};

}  // namespace weft

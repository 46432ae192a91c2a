#pragma once
#include <atomic>
#include <cstdint>

namespace weft {

/// A place where ranks that share memory wait for each other; may lie in memory shared by processes, zero bytes are its first state.
/// A rank that waits spins for 200 pauses and then gives up its core at every look: with a foreign program on one core, ranks that spin
/// on become many times slower (measured).
class SharedBarrier {
 public:
  /// Returns when all `ranks` have come; what each wrote before is then seen by all. `failed`, if given, becomes true when a rank will
  /// never come: those who wait fail, all of a round or none.
  void wait(int ranks, const std::atomic<bool>* failed);

 private:
  /// Takes the arrival of this rank back; false when that cannot be, since all may have come: to be tried again.
  bool take_back(std::uint32_t ranks, std::uint32_t round);

  static_assert(std::atomic<std::uint32_t>::is_always_lock_free, "processes share it");
  alignas(64) std::atomic<std::uint32_t> arrived_{0};
  alignas(64) std::atomic<std::uint32_t> round_{0};
};

}  // namespace weft

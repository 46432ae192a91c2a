#include "parallel/shared_barrier.h"

#include <immintrin.h>
#include <sched.h>

#include "runtime/error.h"

namespace weft {

void SharedBarrier::wait(int ranks, const std::atomic<bool>* failed) {
  constexpr int kSpins = 200;
  const std::uint32_t round = round_.load(std::memory_order_acquire);
  if (arrived_.fetch_add(1, std::memory_order_acq_rel) + 1 == static_cast<std::uint32_t>(ranks)) {
    arrived_.store(0, std::memory_order_relaxed);  // before the others may come again
    round_.store(round + 1, std::memory_order_release);
    return;
  }
  for (int spins = 0; round_.load(std::memory_order_acquire) == round; ++spins) {
    if (failed != nullptr && failed->load(std::memory_order_acquire) && take_back(static_cast<std::uint32_t>(ranks), round)) {
      fail("another rank has failed and will not come");
    }
    if (spins < kSpins) {
      _mm_pause();
    } else {
      sched_yield();
      spins = kSpins;
    }
  }
}

/// Without it a rank that comes later would complete the round, and count on the one that has failed. Nobody completes a round before this
/// rank is in it, so a count that turns out to be of the next round can be put back.
bool SharedBarrier::take_back(std::uint32_t ranks, std::uint32_t round) {
  std::uint32_t arrived = arrived_.load(std::memory_order_acquire);
  if (arrived == 0 || arrived == ranks) return false;
  if (!arrived_.compare_exchange_strong(arrived, arrived - 1, std::memory_order_acq_rel)) return false;
  if (round_.load(std::memory_order_acquire) == round) return true;
  arrived_.fetch_add(1, std::memory_order_acq_rel);
  return false;
}

}  // namespace weft

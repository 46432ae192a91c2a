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
    if (failed != nullptr && failed->load(std::memory_order_acquire)) fail("another rank has failed and will not come");
    if (spins < kSpins) {
      _mm_pause();
    } else {
      sched_yield();
      spins = kSpins;
    }
  }
}

}  // namespace weft

#include "parallel/shared_barrier.h"

#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace weft::test {
namespace {

/// As in a collective: a rank that has come through the first wait is waited for in the second, whatever fails meanwhile.
TEST(SharedBarrierTest, AFailureElsewhereEndsAllRanksOfARoundOrNone) {
  for (int trial = 0; trial < 2000; ++trial) {
    SharedBarrier barrier;
    std::atomic<bool> failed = false;
    std::atomic<int> inside = 0;
    constexpr int kRanks = 3;
    std::vector<std::thread> ranks;
    for (int rank = 0; rank < kRanks; ++rank) {
      ranks.emplace_back([&] {
        try {
          for (;;) {
            barrier.wait(kRanks, &failed);
            ++inside;
            barrier.wait(kRanks, nullptr);
          }
        } catch (const Error&) {
        }
      });
    }
    while (inside < trial % 50) std::this_thread::yield();
    failed = true;
    for (std::thread& rank : ranks) rank.join();
    EXPECT_EQ(inside % kRanks, 0);
  }
}

}  // namespace
}  // namespace weft::test

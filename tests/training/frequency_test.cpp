#include "training/frequency.h"

#include <gtest/gtest.h>

namespace weft {
namespace {

using Unit = Frequency::Unit;

TEST(FrequencyTest, UpdatesAreDueAtMultiples) {
  const Frequency every3{Unit::kUpdates, 3};
  for (std::int64_t step = 1; step <= 12; ++step) {
    EXPECT_EQ(due(every3, {.step = step - 1}, {.step = step}), step % 3 == 0) << step;
  }
}

TEST(FrequencyTest, TokensAreDueWhenAMultipleIsReachedOrPassedAndOnceForSeveral) {
  const Frequency every100{Unit::kTokens, 100};
  EXPECT_FALSE(due(every100, {.target_tokens = 10}, {.target_tokens = 99}));
  EXPECT_TRUE(due(every100, {.target_tokens = 99}, {.target_tokens = 100}));
  EXPECT_FALSE(due(every100, {.target_tokens = 100}, {.target_tokens = 199}));
  EXPECT_TRUE(due(every100, {.target_tokens = 150}, {.target_tokens = 420}));
}

TEST(FrequencyTest, EachPartOfAnEpochIsDueOnce) {
  for (const double amount : {0.5, 1.0, 0.1}) {
    int count = 0;
    for (int step = 0; step < 300; ++step) {  // three epochs of 100 updates
      count += due({Unit::kEpochs, amount}, {.epochs = step / 100.0}, {.epochs = (step + 1) / 100.0});
    }
    EXPECT_EQ(count, static_cast<int>(3 / amount + 0.5)) << amount;
  }
}

TEST(FrequencyTest, ZeroIsNever) {
  for (const Unit unit : {Unit::kUpdates, Unit::kTokens, Unit::kEpochs}) {
    EXPECT_FALSE(due({unit, 0}, {}, {.step = 100, .target_tokens = 1000, .epochs = 9}));
  }
}

}  // namespace
}  // namespace weft

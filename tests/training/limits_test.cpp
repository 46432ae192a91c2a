#include "training/limits.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(LimitsTest, EachLimitEndsTheRunWhenItIsReached) {
  const RunCounts now{.step = 100, .target_tokens = 5000, .epochs = 1.5};
  EXPECT_EQ(limit_reached({.train_steps = 101}, now, 0), Limit::kNone);
  EXPECT_EQ(limit_reached({.train_steps = 100}, now, 0), Limit::kSteps);
  EXPECT_EQ(limit_reached({.max_epochs = 2}, now, 0), Limit::kNone);
  EXPECT_EQ(limit_reached({.max_epochs = 1.5}, now, 0), Limit::kEpochs);
  EXPECT_EQ(limit_reached({.max_tokens_seen = 5001}, now, 0), Limit::kNone);
  EXPECT_EQ(limit_reached({.max_tokens_seen = 5000}, now, 0), Limit::kTokens);
  EXPECT_EQ(limit_reached({.stop_time_hours = 2}, now, 1.9), Limit::kNone);
  EXPECT_EQ(limit_reached({.stop_time_hours = 2}, now, 2), Limit::kTime);
  EXPECT_EQ(limit_reached({}, now, 1e9), Limit::kNone);
}

TEST(LimitsTest, ARunThatIsDoneDoesNotAskToBeRequeued) {
  EXPECT_EQ(limit_reached({.train_steps = 10, .stop_time_hours = 1}, {.step = 10}, 5), Limit::kSteps);
}

TEST(LimitsTest, SecondsLeftIsThatOfTheFirstLimit) {
  const RunCounts start{.step = 100, .target_tokens = 1000, .epochs = 1}, now{.step = 200, .target_tokens = 3000, .epochs = 2};
  EXPECT_EQ(seconds_left({.train_steps = 1200}, start, now, 10), 100);
  EXPECT_EQ(seconds_left({.train_steps = 1200, .max_epochs = 3}, start, now, 10), 10);
  EXPECT_EQ(seconds_left({.train_steps = 1200, .max_tokens_seen = 4000}, start, now, 10), 5);
  EXPECT_EQ(seconds_left({.train_steps = 1200, .stop_time_hours = 1}, start, now, 3590), 10);
  EXPECT_EQ(seconds_left({.train_steps = 1200}, start, start, 10), std::nullopt);
  EXPECT_EQ(seconds_left({.train_steps = 150}, start, now, 10), 0);
}

TEST(LimitsTest, ARunThatEndsInsideTheWarmUpIsNoted) {
  const EpochSize epoch{.updates = 5, .target_tokens = 1000};
  const ScheduleConfig schedule{.warmup_steps = 400}, longer{.warmup_steps = 400, .decay_steps = 1000};
  EXPECT_EQ(
      warmup_note({.max_epochs = 10}, schedule, epoch),
      "training.max_epochs = 10 ends the run after about 50 updates, inside the warm-up of 400: the peak learning rate is never reached");
  EXPECT_THAT(warmup_note({.train_steps = 40, .max_epochs = 10}, schedule, epoch), testing::StartsWith("training.train_steps = 40 ends"));
  EXPECT_THAT(warmup_note({.train_steps = 60, .max_tokens_seen = 2000}, schedule, epoch),
              testing::StartsWith("training.max_tokens_seen = 2000 ends the run after about 10 updates"));
  EXPECT_EQ(warmup_note({.train_steps = 400, .max_epochs = 80}, schedule, epoch), "");
  EXPECT_EQ(warmup_note({}, schedule, epoch), "");
  EXPECT_EQ(warmup_note({.train_steps = 40}, longer, epoch), "");
  EXPECT_NE(warmup_note({.max_epochs = 10}, longer, epoch), "");
  EXPECT_EQ(warmup_note({.max_epochs = 10}, {.warmup_steps = 0}, epoch), "");
}

}  // namespace
}  // namespace weft

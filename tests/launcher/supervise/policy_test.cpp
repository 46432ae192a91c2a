#include "launcher/supervise/policy.h"

#include <gtest/gtest.h>

namespace weft::test {
namespace {

TEST(RelaunchPolicyTest, FinalCodesEnd) {
  for (const int code : {0, 64, 75, 77, 78}) EXPECT_FALSE(RelaunchPolicy(10, -1).decide(code, 100, 0).relaunch) << code;
  for (const int code : {1, 76, 79, 134, 137, 139}) EXPECT_TRUE(RelaunchPolicy(10, -1).decide(code, 100, 0).relaunch) << code;
}

TEST(RelaunchPolicyTest, ThreeRelaunchesWithoutANewStepAreTheLast) {
  RelaunchPolicy policy(10, 40);
  EXPECT_DOUBLE_EQ(policy.decide(137, 40, 0).delay_seconds, 0.1);
  EXPECT_DOUBLE_EQ(policy.decide(137, 40, 1).delay_seconds, 0.2);
  EXPECT_DOUBLE_EQ(policy.decide(137, 40, 2).delay_seconds, 0.4);
  const auto last = policy.decide(137, 40, 3);
  EXPECT_FALSE(last.relaunch);
  EXPECT_EQ(last.reason, "3 relaunches brought no new step");
}

TEST(RelaunchPolicyTest, ANewStepStartsTheCountAgainAndALostOneDoesNot) {
  RelaunchPolicy policy(10, 40);
  for (const int step : {40, 40, 40}) EXPECT_TRUE(policy.decide(1, step, 0).relaunch);
  const auto after_progress = policy.decide(1, 60, 0);
  EXPECT_TRUE(after_progress.relaunch);
  EXPECT_DOUBLE_EQ(after_progress.delay_seconds, 0.1);
  for (const int step : {40, 60}) EXPECT_TRUE(policy.decide(1, step, 0).relaunch);
  EXPECT_FALSE(policy.decide(1, 60, 0).relaunch);
}

TEST(RelaunchPolicyTest, TheDelayIsNeverShorterThanAsked) {
  RelaunchPolicy policy(10, 40);
  EXPECT_DOUBLE_EQ(policy.decide(1, 40, 0, 20).delay_seconds, 20);
  EXPECT_DOUBLE_EQ(policy.decide(1, 40, 0).delay_seconds, 0.2);
  EXPECT_EQ(describe_exit(137), "killed by signal 9 (exit code 137)");
  EXPECT_EQ(describe_exit(255), "exit code 255");  // mpirun when ssh fails
}

TEST(RelaunchPolicyTest, AnHourHoldsSoManyRelaunches) {
  RelaunchPolicy policy(2, 0);
  EXPECT_TRUE(policy.decide(1, 1, 0).relaunch);
  EXPECT_TRUE(policy.decide(1, 2, 10).relaunch);
  EXPECT_FALSE(policy.decide(1, 3, 3599).relaunch);
  EXPECT_TRUE(policy.decide(1, 4, 3600).relaunch);  // the first is an hour old
  EXPECT_FALSE(policy.decide(1, 5, 3601).relaunch);
  EXPECT_FALSE(RelaunchPolicy(0, 0).decide(1, 1, 0).relaunch);
}

}  // namespace
}  // namespace weft::test

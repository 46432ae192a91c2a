#include "training/run_state.h"

#include <algorithm>
#include <array>

#include <gtest/gtest.h>

namespace weft::test {
namespace {

TEST(RunStateTest, WhatIsSavedComesBack) {
  RunState run;
  run.counts = {.step = 7, .target_tokens = 1234, .epochs = 0.25};
  run.position = {.epoch = 1, .window = 2, .batch = 3, .samples = 40};
  run.sampling = {.seed = 0xffffffffffffffffu,
                  .batch_type = BatchType::kSents,
                  .batch_size = 16,
                  .bucket_size = 99,
                  .shuffle = false,
                  .equal_windows = true};
  run.validation_due = true;
  run.kept_best = {3, 5};
  run.validation = "which";
  run.tokenize = "zh";
  run.best["loss"] = {.value = std::nan(""), .step = 5, .stalled = 1};
  run.best["bleu"] = {.value = 30.5, .step = 5, .stalled = 2};
  run.reset = {.optimizer = true, .metrics = true};
  run.schedule_start = 6;
  const RunState read = run_state_from(Json::parse(to_json(run).dump(), "test"));
  EXPECT_EQ(read.position, run.position);
  EXPECT_EQ(read.sampling, run.sampling);
  EXPECT_EQ(read.kept_best, run.kept_best);
  EXPECT_EQ(read.validation, run.validation);
  EXPECT_EQ(read.validation, "which");
  EXPECT_EQ(read.tokenize, "zh");
  EXPECT_FALSE(read.best.at("loss").known());
  EXPECT_TRUE(read.validation_due);
  EXPECT_EQ(read.reset, run.reset);
  EXPECT_EQ(read.schedule_start, 6);
  EXPECT_EQ(read.best.at("bleu").step, 5);
}

TEST(RunStateTest, CheckpointsFromBeforeTheseMembersAreRead) {
  const Json now = to_json(RunState{});
  Json older = Json::object();
  for (const Json::Member& member : now.as_object()) {
    constexpr std::array kNew{"sampling", "kept_best", "tokenize", "reset", "schedule_start"};
    if (std::ranges::count(kNew, member.key) == 0) older.set(member.key, member.value);
  }
  const RunState read = run_state_from(older);
  EXPECT_FALSE(read.sampling);
  EXPECT_TRUE(read.kept_best.empty());
  EXPECT_EQ(read.tokenize, "13a");
  RunState cut;
  cut.sampling = SamplerConfig{};
  const Json whole = to_json(cut);
  Json sampling = Json::object(), with_older = whole;
  for (const Json::Member& member : whole.at("sampling").as_object()) {
    if (member.key != "equal_windows") sampling.set(member.key, member.value);
  }
  EXPECT_TRUE(run_state_from(whole).sampling->equal_windows);
  EXPECT_FALSE(run_state_from(with_older.set("sampling", sampling)).sampling->equal_windows);
}

}  // namespace
}  // namespace weft::test

#include "launcher/config/changes.h"

#include <gtest/gtest.h>

#include "launcher/config/config.h"

namespace weft::test {
namespace {

TEST(ConfigChangesTest, WhatMakesAnotherModelIsToldFromWhatMakesOtherNumbers) {
  Config before, now;
  now.model.hidden_size = before.model.hidden_size * 2;
  now.model.dropout = 0.25;
  now.training.batch_size = 77;
  now.training.report_freq = {};
  now.run_dir = "elsewhere";
  const ConfigChanges changes = changes_of(dump_config(before), now);
  EXPECT_EQ(changes.model, "model.hidden_size 512 -> 1024");
  EXPECT_EQ(changes.numbers, "model.dropout 0.1 -> 0.25, training.batch_size 25000 -> 77");
  const ConfigChanges none = changes_of(dump_config(now), now);
  EXPECT_EQ(none.model + none.numbers, "");
}

TEST(ConfigChangesTest, TheEndOfTheRunIsANumberWhereTheLearningRateFollowsIt) {
  Config before, now;
  before.training.limits.train_steps = 100;
  now.training.limits.train_steps = 200;
  EXPECT_EQ(changes_of(dump_config(before), now).numbers, "");
  before.training.schedule.kind = now.training.schedule.kind = LrScheduler::kCosine;
  EXPECT_EQ(changes_of(dump_config(before), now).numbers, "training.train_steps 100 -> 200");
  before.training.schedule.decay_steps = now.training.schedule.decay_steps = 150;
  EXPECT_EQ(changes_of(dump_config(before), now).numbers, "");
}

TEST(ConfigChangesTest, AKeyThatAnOlderProgramDidNotKnowIsNoChange) {
  EXPECT_EQ(changes_of("seed: 1\nmodel:\n  dropout: 0.1\n", Config{}).model, "");
}

}  // namespace
}  // namespace weft::test

#include "training/validation/best_metrics.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

namespace weft {
namespace {

TEST(BestMetricsTest, PerplexityFallsAndBleuRises) {
  BestMetrics best;
  EXPECT_TRUE(note_value(best, "perplexity", 9, 1, 0));
  EXPECT_TRUE(note_value(best, "bleu", 20, 1, 0));
  EXPECT_FALSE(note_value(best, "perplexity", 9, 2, 0));
  EXPECT_FALSE(note_value(best, "bleu", 20, 2, 0));
  EXPECT_TRUE(note_value(best, "perplexity", 8.5, 3, 0));
  EXPECT_FALSE(note_value(best, "bleu", 19, 3, 0));
  EXPECT_EQ(best["perplexity"].step, 3);
  EXPECT_EQ(best["perplexity"].stalled, 0);
  EXPECT_EQ(best["bleu"].step, 1);
  EXPECT_EQ(best["bleu"].stalled, 2);
  EXPECT_EQ(describe(best["perplexity"], 4), "new best");
  EXPECT_EQ(describe(best["bleu"], 2), "stalled 2 times (last best: 20.00 at step 1)");
}

TEST(BestMetricsTest, ANewBestIsBetterByMoreThanEpsilon) {
  BestMetrics best;
  note_value(best, "bleu", 20, 1, 0.5);
  EXPECT_FALSE(note_value(best, "bleu", 20.5, 2, 0.5));
  EXPECT_TRUE(note_value(best, "bleu", 20.51, 3, 0.5));
}

TEST(BestMetricsTest, NotANumberIsNeverTheBest) {
  BestMetrics best;
  EXPECT_FALSE(note_value(best, "loss", std::nan(""), 1, 0));
  EXPECT_EQ(best["loss"].stalled, 1);
  EXPECT_TRUE(note_value(best, "loss", 5, 2, 0));
  EXPECT_FALSE(note_value(best, "loss", std::nan(""), 3, 0));
  EXPECT_EQ(best["loss"].value, 5);
}

TEST(BestMetricsTest, WithoutANumberThereIsNoBestToName) {
  BestMetrics best;
  note_value(best, "loss", -std::nan(""), 1, 0);
  EXPECT_EQ(describe(best["loss"], 4), "stalled 1 time (no best yet)");
  EXPECT_FALSE(note_value(best, "perplexity", std::numeric_limits<double>::infinity(), 1, 0));
  EXPECT_FALSE(best["perplexity"].known());
}

TEST(BestMetricsTest, AScoreOfNothingIsNotTheBestAndInTheWarmUpNotStalled) {
  BestMetrics best;
  for (const std::int64_t step : {1, 2, 3}) EXPECT_FALSE(note_value(best, "bleu", 0.001, step, 0, true));
  EXPECT_EQ(describe(best["bleu"], 2), "no best yet");
  EXPECT_FALSE(has_stalled(best, std::vector<std::string>{"bleu"}, {1, EarlyStoppingOn::kFirst, 0}));
  EXPECT_FALSE(note_value(best, "bleu", 0, 4, 0));
  EXPECT_EQ(describe(best["bleu"], 2), "stalled 1 time (no best yet)");
  EXPECT_TRUE(note_value(best, "bleu", 0.4, 5, 0));
  EXPECT_FALSE(note_value(best, "bleu", 0, 6, 0, true));
  EXPECT_EQ(best["bleu"].stalled, 1);
}

TEST(EarlyStoppingTest, CountsTheFirstAllOrAnyOfTheMetrics) {
  const std::vector<std::string> metrics{"bleu", "perplexity"};
  const BestMetrics best{{"bleu", {.value = 20, .step = 1, .stalled = 2}}, {"perplexity", {.value = 8, .step = 1, .stalled = 3}}};
  const auto stalled = [&](std::int64_t validations, EarlyStoppingOn on) { return has_stalled(best, metrics, {validations, on, 0}); };
  EXPECT_FALSE(stalled(0, EarlyStoppingOn::kAny));  // off
  EXPECT_TRUE(stalled(2, EarlyStoppingOn::kFirst));
  EXPECT_FALSE(stalled(3, EarlyStoppingOn::kFirst));
  EXPECT_FALSE(stalled(3, EarlyStoppingOn::kAll));
  EXPECT_TRUE(stalled(2, EarlyStoppingOn::kAll));
  EXPECT_TRUE(stalled(3, EarlyStoppingOn::kAny));
  EXPECT_FALSE(stalled(4, EarlyStoppingOn::kAny));
}

TEST(EarlyStoppingTest, AMetricWithoutAValueHasNotStalled) {
  EXPECT_FALSE(has_stalled({}, std::vector<std::string>{"bleu"}, {1, EarlyStoppingOn::kAll, 0}));
}

}  // namespace
}  // namespace weft

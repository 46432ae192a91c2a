#include "inference/metrics/paired_bootstrap.h"

#include <cmath>

#include <gtest/gtest.h>

namespace weft::test {
namespace {

/// The mean of one figure a sentence.
Metric mean_metric() {
  return {.name = "mean", .statistics = {}, .score = [](const Statistics& sum) { return sum[0] / sum[1]; }, .signature = {}};
}

std::vector<Statistics> values(double shift) {
  std::vector<Statistics> all;
  for (int i = 0; i < 200; ++i) all.push_back({i % 10 + shift, 1});
  return all;
}

TEST(PairedBootstrapTest, ASystemDoesNotDifferFromItself) {
  const PairedBootstrap found = paired_bootstrap(mean_metric(), values(0), values(0));
  EXPECT_EQ(found.p_value, 1.0);
  EXPECT_EQ(found.first.mean, found.second.mean);
}

TEST(PairedBootstrapTest, MeanAndIntervalAreThoseOfTheMean) {
  const PairedBootstrap found = paired_bootstrap(mean_metric(), values(0), values(0.5), {.samples = 4000, .seed = 3});
  EXPECT_DOUBLE_EQ(found.first.score, 4.5);
  const double deviation = 2.8723 / std::sqrt(200.0);  // of 0 .. 9, and of the mean of 200
  EXPECT_NEAR(found.first.mean, 4.5, 4 * deviation / std::sqrt(4000.0));
  EXPECT_NEAR(found.first.interval, 1.96 * deviation, 0.05 * deviation * 2);
  EXPECT_NEAR(found.second.mean - found.first.mean, 0.5, 1e-9);  // both are scored on the same sentences
  EXPECT_LT(found.p_value, 0.001);
}

TEST(PairedBootstrapTest, ADifferenceOfFewSentencesMayBeChance) {
  std::vector<Statistics> second = values(0);
  second[7][0] += 5;
  second[90][0] -= 4;
  EXPECT_GT(paired_bootstrap(mean_metric(), values(0), second).p_value, 0.05);
}

TEST(PairedBootstrapTest, TheSeedDecidesEverything) {
  const auto mean = [](std::uint64_t seed) {
    return paired_bootstrap(mean_metric(), values(0), values(1), {.samples = 50, .seed = seed}).first.mean;
  };
  EXPECT_EQ(mean(1), mean(1));
  EXPECT_NE(mean(1), mean(2));
}

}  // namespace
}  // namespace weft::test

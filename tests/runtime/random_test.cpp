#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "runtime/kernels/dropout.h"
#include "runtime/random.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

// Known answers that come with Random123 (Salmon et al., SC 2011).
TEST(PhiloxTest, GivesThePublishedNumbers) {
  EXPECT_EQ(philox({0, 0}, {0, 0, 0, 0}), (RandomCounter{0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}));
  constexpr std::uint32_t kOnes = 0xffffffff;
  EXPECT_EQ(philox({kOnes, kOnes}, {kOnes, kOnes, kOnes, kOnes}), (RandomCounter{0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}));
  EXPECT_EQ(philox({0xa4093822, 0x299f31d0}, {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344}),
            (RandomCounter{0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}));
}

TEST(RandomKeyTest, SeedAndSiteBothMatter) {
  std::set<std::pair<std::uint32_t, std::uint32_t>> keys;
  for (const std::uint64_t seed : {0, 1, 2}) {
    for (const char* site : {"", "encoder.layers.0.ffn.dropout", "encoder.layers.1.ffn.dropout"}) {
      const RandomKey key = random_key(seed, site);
      keys.insert({key.low, key.high});
    }
  }
  EXPECT_EQ(keys.size(), 9u);
}

TEST(HostRandomTest, NormalHasItsMoments) {
  const RandomKey key = random_key(1, "normal");
  constexpr int kCount = 100000;
  double sum = 0, squares = 0, fourth = 0;
  for (std::uint64_t i = 0; i < kCount; ++i) {
    const double x = random_normal(key, i);
    sum += x;
    squares += x * x;
    fourth += x * x * x * x;
  }
  EXPECT_NEAR(sum / kCount, 0, 0.016);  // five deviations each: 1, sqrt(2), sqrt(96) over sqrt(kCount)
  EXPECT_NEAR(squares / kCount, 1, 0.023);
  EXPECT_NEAR(fourth / kCount, 3, 0.16);
}

TEST(HostRandomTest, BelowIsEvenAndInRange) {
  std::array<int, 7> counts{};
  const RandomKey key = random_key(2, "below");
  for (std::uint64_t i = 0; i < 70000; ++i) counts.at(random_below(key, i, 7))++;
  for (int count : counts) EXPECT_NEAR(count, 10000, 470);  // five deviations
}

std::vector<double> mask(TestContext& ctx, std::int64_t rows, std::int64_t columns, double p) {
  const Tensor ones = ctx.floats(std::vector<double>(static_cast<std::size_t>(rows * columns), 1.0), kDouble, {rows, columns});
  kernels::dropout(ctx, {.x = ones, .dropout = row_dropout(ctx, rows, p), .y = ones});
  return to_doubles(ones);
}

TEST(DropoutTest, KeepsTheRightShareAndScalesIt) {
  for (const double p : {0.1, 0.5, 0.9}) {
    TestContext ctx;
    double kept = 0;
    const auto values = mask(ctx, 300, 333, p);
    for (double value : values) {
      if (value == 0) continue;
      EXPECT_DOUBLE_EQ(value, 1 / (1 - p));
      ++kept;
    }
    const double count = 300 * 333;
    EXPECT_NEAR(kept / count, 1 - p, 5 * std::sqrt(p * (1 - p) / count)) << p;
  }
}

TEST(DropoutTest, FollowsTheDocumentedCounter) {
  TestContext ctx;
  ctx.step_state(StepState::kStep) = 41;
  const auto values = mask(ctx, 7, 11, 0.5);
  const RowDropout dropout = row_dropout(ctx, 7, 0.5);
  for (std::uint32_t r = 0; r < 7; ++r) {
    for (std::uint32_t c = 0; c < 11; ++c) {
      const RandomCounter words = philox(dropout.site.key, {41, 1000 + r / 3, r % 3, c / 4});  // coordinates as in row_dropout
      EXPECT_EQ(values[r * 11 + c], words[c % 4] >= 0x80000000u ? 2.0 : 0.0) << r << ", " << c;
    }
  }
}

TEST(DropoutTest, AnotherStepDropsOtherElements) {
  TestContext first, second;
  second.step_state(StepState::kStep) = 2;
  EXPECT_NE(mask(first, 9, 40, 0.5), mask(second, 9, 40, 0.5));
}

TEST(DropoutTest, DropsNothingOutsideTraining) {
  TestContext ctx;
  ctx.context().training = false;
  for (double value : mask(ctx, 5, 9, 0.5)) EXPECT_EQ(value, 1);
}

}  // namespace
}  // namespace weft::test

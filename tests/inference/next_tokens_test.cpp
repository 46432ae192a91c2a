#include "inference/search/next_tokens.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/error.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

constexpr TokenRules kRules{.special = {}, .unk = false};

class NextTokensTest : public testing::TestWithParam<DType> {
 protected:
  TestContext ctx_;
};

/// Log probabilities of a row, sorted by them and then by id, by the definition.
std::vector<NextToken> sorted_softmax(const std::vector<double>& logits) {
  double sum = 0;
  for (const double x : logits) sum += std::exp(x);
  std::vector<NextToken> all;
  for (std::size_t v = 0; v < logits.size(); ++v) all.push_back({static_cast<std::int32_t>(v), logits[v] - std::log(sum)});
  std::ranges::stable_sort(all, [](const NextToken& a, const NextToken& b) { return a.log_prob > b.log_prob; });
  return all;
}

TEST_P(NextTokensTest, TheBestOfEveryRowAreThoseOfASortedSoftmax) {
  const double tolerance = GetParam() == DType::kFloat64 ? 1e-12 : 2e-6;
  for (const std::int64_t vocab : {5, 63, 64, 65, 1000}) {
    const Tensor logits = ctx_.normal({7, vocab}, GetParam(), 3, 2.5);
    const std::vector<double> values = to_doubles(logits);
    for (const std::int64_t count : {1, 4, 80}) {
      const auto found = most_probable_tokens(logits, std::vector<NextRule>(7), count, kRules);
      for (std::size_t r = 0; r < 7; ++r) {
        const auto row = values.begin() + static_cast<std::ptrdiff_t>(r) * vocab;
        std::vector<NextToken> expected = sorted_softmax({row, row + vocab});
        std::erase_if(expected, [](const NextToken& next) { return next.token < 2; });  // unk and bos
        expected.resize(static_cast<std::size_t>(count));
        for (std::size_t i = 0; i < expected.size(); ++i) {
          const NextToken& next = found[r * expected.size() + i];
          EXPECT_EQ(next.token, expected[i].token) << vocab << " " << r << " " << i;
          const double log_prob = next.token < 0 ? expected[i].log_prob : next.log_prob;
          EXPECT_NEAR(log_prob, expected[i].log_prob, tolerance);
        }
      }
    }
  }
}

TEST_P(NextTokensTest, TheEndTokenIsForbiddenAllowedOrForced) {
  const Tensor logits = ctx_.floats({1, 9, 5, 3, 1, 9, 5, 3, 1, 9, 5, 3}, GetParam(), {3, 4});
  const std::vector<NextRule> rows{{End::kForbidden}, {End::kAllowed}, {End::kForced}};
  const auto found = most_probable_tokens(logits, rows, 2, kRules);
  const std::vector<std::int32_t> expected{3, -1, 2, 3, 2, -1};
  for (std::size_t i = 0; i < expected.size(); ++i) EXPECT_EQ(found[i].token, expected[i]) << i;
  EXPECT_EQ(found[2].log_prob, found[4].log_prob);  // of the whole vocabulary all the same
}

TEST_P(NextTokensTest, TiesGoToTheLowerIdAlsoAcrossBlocks) {
  std::vector<double> values(200, -1);
  for (const std::size_t v : {7, 70, 71, 199}) values[v] = 4;
  const Tensor logits = ctx_.floats(values, GetParam(), {1, 200});
  const auto found = most_probable_tokens(logits, std::vector<NextRule>(1), 3, kRules);
  EXPECT_EQ(found[0].token, 7);
  EXPECT_EQ(found[1].token, 70);
  EXPECT_EQ(found[2].token, 71);
}

TEST_P(NextTokensTest, VeryUnequalLogitsAreFineAndInfiniteOnesAreNot) {
  std::vector<double> values(100, -1e30);
  values[50] = 1e4;
  values[60] = 1e4 - 20;
  EXPECT_NEAR(log_probs_of(ctx_.floats(values, GetParam(), {1, 100}), std::vector{60})[0], -20, 1e-6);
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const std::size_t place : {3, 99}) {
      std::vector<double> broken(100, 1);
      broken[place] = bad;
      EXPECT_THROW(log_probs_of(ctx_.floats(broken, GetParam(), {1, 100}), std::vector{60}), Error) << bad << " at " << place;
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, NextTokensTest, testing::Values(DType::kFloat32, DType::kFloat64),
                         [](const auto& test) { return test.param == DType::kFloat32 ? "fp32" : "double"; });

}  // namespace
}  // namespace weft::test

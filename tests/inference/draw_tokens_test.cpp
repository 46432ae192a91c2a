#include "inference/search/draw_tokens.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include "runtime/error.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

constexpr TokenRules kAnyToken{.special = {}, .unk = false};

/// The distribution by the definition: tokens from 2 on, sorted by logit, cut by top_k, then by top_p of what is left.
std::vector<double> truncated_softmax(const std::vector<double>& logits, const Sampling& sampling) {
  std::vector<std::size_t> order(logits.size() - 2);
  std::iota(order.begin(), order.end(), std::size_t{2});
  std::ranges::stable_sort(order, [&](std::size_t a, std::size_t b) { return logits[a] > logits[b]; });
  if (sampling.top_k > 0) order.resize(std::min(order.size(), static_cast<std::size_t>(sampling.top_k)));
  std::vector<double> p(logits.size(), 0);
  const auto normalize = [&] {
    double sum = 0;
    for (const std::size_t v : order) sum += std::exp(logits[v] / sampling.temperature);
    std::ranges::fill(p, 0);
    for (const std::size_t v : order) p[v] = std::exp(logits[v] / sampling.temperature) / sum;
  };
  normalize();
  double sum = 0;
  std::size_t kept = 0;
  while (kept < order.size() && sum < sampling.top_p) sum += p[order[kept++]];
  order.resize(kept);
  normalize();
  return p;
}

class DrawTokensTest : public testing::TestWithParam<DType> {
 protected:
  TestContext ctx_;
};

TEST_P(DrawTokensTest, EvenlySpacedNumbersGiveTheTruncatedSoftmax) {
  constexpr std::size_t kDraws = 20000;
  const Tensor logits = ctx_.normal({1, 40}, GetParam(), 5, 1.5);
  const std::vector<double> values = to_doubles(logits);
  std::vector<Draw> draws(kDraws);
  for (std::size_t i = 0; i < kDraws; ++i) draws[i].uniform = (static_cast<double>(i) + 0.5) / kDraws;
  const std::vector<Sampling> all{{},
                                  {.temperature = 0.5},
                                  {.temperature = 2},
                                  {.top_k = 1},
                                  {.top_k = 7},
                                  {.top_k = 1000},
                                  {.top_p = 0.6},
                                  {.top_p = 1e-9},
                                  {.temperature = 1.7, .top_k = 12, .top_p = 0.8}};
  for (const Sampling& sampling : all) {
    std::vector<double> share(40, 0);
    for (const NextToken& next : draw_tokens(logits, draws, sampling, kAnyToken))
      share[static_cast<std::size_t>(next.token)] += 1.0 / kDraws;
    const std::vector<double> expected = truncated_softmax(values, sampling);
    for (std::size_t v = 0; v < 40; ++v) {
      EXPECT_NEAR(share[v], expected[v], 2.0 / kDraws)
          << v << ": " << sampling.temperature << " " << sampling.top_k << " " << sampling.top_p;
    }
  }
}

TEST_P(DrawTokensTest, TheLogProbabilityIsTheModelsOwn) {
  const Tensor logits = ctx_.floats({5, 9, 1, 2, 3, -1}, GetParam(), {1, 6});
  double sum = 0;
  for (const double x : to_doubles(logits)) sum += std::exp(x);
  const std::vector<Draw> draws{{.uniform = 0}};
  const NextToken next = draw_tokens(logits, draws, {.temperature = 0.1, .top_k = 2, .top_p = 0.5}, kAnyToken)[0];
  EXPECT_EQ(next.token, 4);
  EXPECT_NEAR(next.log_prob, 3 - std::log(sum), 1e-6);
}

TEST_P(DrawTokensTest, TheRulesOfARowHold) {
  const Tensor logits = ctx_.floats({1, 9, 1, 2, 3, 4, 0, 0, 0, 0, 0, 0}, GetParam(), {2, 6});
  for (double uniform = 0.01; uniform < 1; uniform += 0.02) {
    const std::vector<Draw> draws{{.rule = {.end = End::kForbidden, .forbidden = {4, 5}}, .uniform = uniform},
                                  {.rule = {.end = End::kForced}, .uniform = uniform},
                                  {.row = 1, .rule = {.end = End::kForbidden, .forbidden = {3, 4, 5}}, .uniform = uniform}};
    const auto found = draw_tokens(logits, draws, {}, kAnyToken);
    EXPECT_EQ(found[0].token, 3);
    EXPECT_EQ(found[1].token, 2);
    EXPECT_EQ(found[2].token, 2);  // nothing else may come
  }
}

TEST_P(DrawTokensTest, LogitsThatAreNotFiniteEndWith78) {
  for (const double bad : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    for (const double top_p : {1.0, 0.5}) {
      const auto draw = [&] {
        draw_tokens(ctx_.floats({1, bad, 1, 1, bad, 1}, GetParam(), {1, 6}), std::vector<Draw>(1), {.top_p = top_p}, kAnyToken);
      };
      EXPECT_THAT(draw, testing::Throws<Error>(testing::Property(&Error::code, ExitCode::kNumerics)));
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Precisions, DrawTokensTest, testing::Values(DType::kFloat32, DType::kFloat64),
                         [](const auto& test) { return test.param == DType::kFloat32 ? "fp32" : "double"; });

}  // namespace
}  // namespace weft::test

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "runtime/kernels/attention.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/gradient_check.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

struct Case {
  std::string name;
  std::vector<std::int32_t> queries, keys;  // lengths
  std::int64_t heads, kv_heads, size;
  bool causal;
  double p;
  bool rotary = false, alibi = false;
  RotaryPairing pairing = RotaryPairing::kHalf;
};

std::vector<std::int32_t> begins(const std::vector<std::int32_t>& lengths, std::int64_t& total) {
  std::vector<std::int32_t> begin;
  total = 0;
  for (std::int32_t length : lengths) {
    begin.push_back(static_cast<std::int32_t>(total));
    total += length;
  }
  return begin;
}

kernels::AttentionForward forward_of(TestContext& ctx, const Case& c) {
  std::int64_t queries = 0, keys = 0;
  kernels::AttentionForward f;
  f.rows.query_begin = ctx.ints(begins(c.queries, queries));
  f.rows.query_length = ctx.ints(c.queries);
  f.rows.key_begin = ctx.ints(begins(c.keys, keys));
  f.rows.key_length = ctx.ints(c.keys);
  f.rows.max_query_length = queries;
  f.rows.max_key_length = keys;
  f.q = ctx.normal({queries, c.heads, c.size}, kDouble, 1);
  f.k = ctx.normal({keys, c.kv_heads, c.size}, kDouble, 2);
  f.v = ctx.normal({keys, c.kv_heads, c.size}, kDouble, 3);
  f.causal = c.causal;
  f.scale = 1 / std::sqrt(static_cast<double>(c.size));
  const RowDropout dropout = row_dropout(ctx, queries, c.p);
  f.dropout = {.rows = dropout, .key_stride = 50};
  f.positions = attention_positions(ctx, kDouble, c.rotary ? keys : 0, c.size, c.alibi ? c.heads : 0, c.pairing);
  f.y = ctx.empty(f.q.shape, kDouble);
  f.lse = ctx.empty({queries, c.heads}, kDouble);
  return f;
}

void PrintTo(const Case& c, std::ostream* out) {
  *out << c.name;
}

class AttentionGradients : public testing::TestWithParam<Case> {};

TEST_P(AttentionGradients, MatchFiniteDifferences) {
  TestContext ctx;
  const kernels::AttentionForward f = forward_of(ctx, GetParam());
  const Tensor dy = ctx.normal(f.y.shape, kDouble, 4);
  const Tensor dq = ctx.empty(f.q.shape, kDouble), dk = ctx.empty(f.k.shape, kDouble), dv = ctx.empty(f.v.shape, kDouble);
  const auto loss = [&] {
    kernels::attention_forward(ctx, f);
    return dot(f.y, dy);
  };
  loss();
  kernels::attention_backward(ctx, {.dy = dy,
                                    .q = f.q,
                                    .k = f.k,
                                    .v = f.v,
                                    .y = f.y,
                                    .lse = f.lse,
                                    .rows = f.rows,
                                    .causal = f.causal,
                                    .scale = f.scale,
                                    .positions = f.positions,
                                    .dropout = f.dropout,
                                    .dq = dq,
                                    .dk = dk,
                                    .dv = dv});
  const auto error = check_gradients({{"q", f.q, dq}, {"k", f.k, dk}, {"v", f.v, dv}}, loss);
  EXPECT_LT(error.worst, kGradientTolerance) << "worst at " << error.where;
}

INSTANTIATE_TEST_SUITE_P(
    Cases, AttentionGradients,
    testing::Values(Case{"OneByOne", {1}, {1}, 1, 1, 1, false, 0}, Case{"Self", {3, 1, 6}, {3, 1, 6}, 2, 2, 5, false, 0},
                    Case{"SelfCausalDropout", {3, 1, 6}, {3, 1, 6}, 2, 2, 4, true, 0.3},
                    Case{"CrossDropout", {2, 1}, {5, 3}, 2, 2, 3, false, 0.3}, Case{"CausalMoreKeys", {2, 1}, {5, 3}, 1, 1, 3, true, 0},
                    Case{"CausalFewerKeys", {4}, {2}, 1, 1, 3, true, 0}, Case{"GroupedCausal", {4, 3}, {4, 3}, 6, 2, 3, true, 0},
                    Case{"OneKeyHeadDropout", {3}, {4}, 3, 1, 2, false, 0.5},
                    Case{"RotaryCausalDropout", {3, 1}, {3, 1}, 2, 2, 4, true, 0.3, true},
                    Case{"RotaryNeighboursGrouped", {3, 2}, {5, 2}, 4, 2, 6, false, 0, true, false, RotaryPairing::kInterleaved},
                    Case{"AlibiSelf", {4, 2}, {4, 2}, 3, 3, 3, false, 0, false, true},
                    Case{"AlibiCausalGrouped", {4, 1}, {4, 6}, 4, 2, 3, true, 0.2, false, true}),
    [](const auto& param) { return param.param.name; });

TEST(AttentionKernel, CausalIsAlignedToTheLastKey) {
  TestContext ctx;
  kernels::AttentionForward f = forward_of(ctx, {"", {2}, {5}, 1, 1, 1, true, 0});
  std::fill_n(f.q.as<double>(), 2, 0.0);  // equal weights: y is the mean of the visible values
  const Tensor v = ctx.floats({1, 10, 100, 1000, 10000}, kDouble, f.v.shape);
  f.v = v;
  kernels::attention_forward(ctx, f);
  EXPECT_DOUBLE_EQ(to_doubles(f.y)[0], 1111.0 / 4);  // the last but one query does not see the last key
  EXPECT_DOUBLE_EQ(to_doubles(f.y)[1], 11111.0 / 5);
}

TEST(AttentionKernel, NeighbouringQueryHeadsShareAKeyHead) {
  TestContext ctx;
  kernels::AttentionForward f = forward_of(ctx, {"", {1}, {1}, 4, 2, 1, false, 0});
  f.v = ctx.floats({10, 20}, kDouble, f.v.shape);
  kernels::attention_forward(ctx, f);
  EXPECT_EQ(to_doubles(f.y), (std::vector<double>{10, 10, 20, 20}));
}

TEST(AttentionKernel, AQueryWithoutKeysGivesZero) {
  TestContext ctx;
  const kernels::AttentionForward f = forward_of(ctx, {"", {2}, {0}, 2, 2, 3, false, 0});
  kernels::attention_forward(ctx, f);
  for (double y : to_doubles(f.y)) EXPECT_EQ(y, 0);
  for (double lse : to_doubles(f.lse)) EXPECT_EQ(lse, -std::numeric_limits<double>::infinity());
}

TEST(AttentionKernel, DropoutUsesTheDocumentedCounter) {
  TestContext ctx;
  ctx.step_state(StepState::kStep) = 17;
  kernels::AttentionForward f = forward_of(ctx, {"", {4}, {6}, 2, 2, 1, false, 0.5});
  std::fill_n(f.q.as<double>(), f.q.elements(), 0.0);
  for (std::int64_t j = 0; j < 6; ++j) {
    for (std::int64_t h = 0; h < 2; ++h) f.v.as<double>()[j * 2 + h] = std::ldexp(1.0, static_cast<int>(j));
  }
  kernels::attention_forward(ctx, f);
  for (std::int64_t i = 0; i < 4; ++i) {
    const auto sample = static_cast<std::uint32_t>(f.dropout.rows.sample.as<std::int32_t>()[i]);
    const auto position = static_cast<std::uint32_t>(f.dropout.rows.positions.as<std::int32_t>()[i]);
    for (std::uint32_t h = 0; h < 2; ++h) {
      double kept = 0;
      for (std::uint32_t j = 0; j < 6; ++j) {
        const std::uint32_t column = h * 50 + j;
        const RandomCounter words = philox(f.dropout.rows.site.key, {17, sample, position, column / 4});
        if (words[column % 4] >= 0x80000000u) kept += std::ldexp(1.0, static_cast<int>(j));
      }
      EXPECT_NEAR(f.y.as<double>()[i * 2 + h], kept * 2 / 6, 1e-12) << "query " << i << " head " << h;
    }
  }
}

}  // namespace
}  // namespace weft::test

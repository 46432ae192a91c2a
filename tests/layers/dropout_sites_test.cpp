// Which numbers a dropout draws is part of what a run is: the key is the seed and the full name of the site, the counter global
// coordinates. Each layer is compared with its kernels, called with the key spelled out.
#include <cmath>

#include <gtest/gtest.h>

#include "layers/attention/self_attention.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "runtime/kernels/attention.h"
#include "runtime/kernels/embedding.h"
#include "tests/layers/bound_parameters.h"
#include "tests/support/batches.h"

namespace weft::test {
namespace {

constexpr std::uint64_t kSeed = 7;
constexpr std::int64_t kModelWidth = 8;
constexpr double kP = 0.4;

class DropoutSitesTest : public testing::Test {
 protected:
  Dropout site(const std::string& name) const { return {random_key(kSeed, name), kP}; }

  TestContext ctx_;
  ParameterSet set_{kSeed};
  ParameterScope scope_ = ParameterScope(set_, "encoder", 0).child("layers.3");
};

TEST_F(DropoutSitesTest, Embedding) {
  const ParameterScope scope(set_, "encoder.embeddings", 0);
  Parameter& token = scope.add("token.weight", {9, kModelWidth}, Init::normal(1));
  const Embedding embedding({.scale = 2, .dropout = kP}, token, nullptr, scope);
  set_.lay_out();
  const BoundParameters bound(ctx_, set_, kDouble);
  const Rows rows = make_rows(ctx_, {{4, 7, 1}, {8}}, 5);
  const Tensor y = ctx_.empty({4, kModelWidth}, kDouble), expected = ctx_.empty({4, kModelWidth}, kDouble);
  Embedding::Saved saved;
  embedding.forward(ctx_, rows, y, saved);
  kernels::embedding_forward(ctx_,
                             {.tokens = rows.tokens,
                              .positions = rows.positions,
                              .weight = token.value,
                              .scale = 2,
                              .dropout = {.site = site("encoder.embeddings.dropout"), .sample = rows.sample, .positions = rows.positions},
                              .y = expected});
  EXPECT_EQ(to_doubles(y), to_doubles(expected));
}

TEST_F(DropoutSitesTest, FeedForward) {
  const FeedForward ffn({.hidden_size = kModelWidth, .ffn_size = 12, .activation = FfnActivation::kGelu, .activation_dropout = kP},
                        scope_.child("ffn"));
  const FeedForward plain({.hidden_size = kModelWidth, .ffn_size = 12, .activation = FfnActivation::kGelu}, scope_.child("plain"));
  set_.lay_out();
  const BoundParameters bound(ctx_, set_, kDouble);
  auto& parameters = set_.parameters();  // both the same weights: fc1 and fc2, each a weight and a bias
  for (std::size_t i = 0; i < 4; ++i) parameters[i + 4].value = parameters[i].value;
  const Rows rows = make_rows_of_lengths(ctx_, {3, 2});
  const Tensor x = ctx_.normal({5, kModelWidth}, kDouble, 1), y = ctx_.empty({5, kModelWidth}, kDouble);
  FeedForward::Saved dropped, whole;
  ffn.forward(ctx_, x, rows, y, dropped);
  plain.forward(ctx_, x, rows, y, whole);
  kernels::dropout(
      ctx_, {.x = whole.h,
             .dropout = {.site = site("encoder.layers.3.ffn.activation_dropout"), .sample = rows.sample, .positions = rows.positions},
             .y = whole.h});
  EXPECT_EQ(to_doubles(dropped.h), to_doubles(whole.h));
}

TEST_F(DropoutSitesTest, AttentionWeightsWithTheMaximumLengthOfTheModelAsStride) {
  constexpr std::int64_t kHeads = 2, kMaxLength = 6;
  const SelfAttention attention({.hidden_size = kModelWidth, .num_heads = kHeads, .dropout = kP, .max_length = kMaxLength},
                                scope_.child("self_attn"));
  set_.lay_out();
  const BoundParameters bound(ctx_, set_, kDouble);
  const Rows rows = make_rows_of_lengths(ctx_, {3, 2});
  const Tensor x = ctx_.normal({5, kModelWidth}, kDouble, 1), y = ctx_.empty({5, kModelWidth}, kDouble);
  SelfAttention::Saved saved;
  attention.forward(ctx_, x, rows, y, saved);
  const Shape heads{5, kHeads, kModelWidth / kHeads};
  const auto part = [&](std::int64_t i) { return saved.qkv.slice(1, i * kModelWidth, kModelWidth).view(heads); };
  const Tensor expected = ctx_.empty({5, kModelWidth}, kDouble);
  kernels::attention_forward(ctx_, {.q = part(0),
                                    .k = part(1),
                                    .v = part(2),
                                    .rows = {rows.begin, rows.length, rows.begin, rows.length, rows.max_length, rows.max_length},
                                    .scale = 1 / std::sqrt(static_cast<double>(kModelWidth / kHeads)),
                                    .dropout = {.rows = {.site = site("encoder.layers.3.self_attn.attention_dropout"),
                                                         .sample = rows.sample,
                                                         .positions = rows.positions},
                                                .key_stride = kMaxLength},
                                    .y = expected.view(heads)});
  EXPECT_EQ(to_doubles(saved.attention.y), to_doubles(expected));
}

}  // namespace
}  // namespace weft::test

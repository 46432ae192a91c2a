#include "inference/alignment.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <numeric>

#include "inference/decoding_memory.h"
#include "layers/attention/dot_product_attention.h"
#include "runtime/error.h"
#include "tests/inference/scripted_generator.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::Pair;
using Sentences = std::vector<std::vector<std::int32_t>>;

const Sentences kSources{{5, 6, 7, 2}, {2}, {8, 2}, {3, 4, 5, 6, 7, 8, 2}}, kTargets{{4, 2}, {9, 9, 2}, {2}, {7, 5, 2}};

SearchProblem problem_of(ModelUnderTest& tested, std::int64_t batch_size) {
  return {.generator = *tested.model,
          .limits = {.max_length = 30},
          .target = {},
          .source_vocab_size = tested.config.source_vocab_size,
          .batch_size = batch_size,
          .align = true};
}

/// Sets every number of the parameters whose names begin so to zero.
void silence(ModelUnderTest& tested, const std::string& prefix) {
  int found = 0;
  for (Parameter& parameter : tested.set.parameters()) {
    std::int64_t row = 0;
    for (const Part& part : parameter.parts) {
      const Tensor rows = parameter.value.rows(row, part.shape[0]);
      row += part.shape[0];
      if (!part.name.starts_with(prefix)) continue;
      std::ranges::fill(rows.span<float>(), 0.0f);
      ++found;
    }
  }
  EXPECT_GT(found, 0) << prefix;
}

bool is_even(const Alignment& alignment) {
  for (const std::vector<float>& row : alignment) {
    for (const float weight : row) {
      if (std::abs(weight - 1.0f / static_cast<float>(row.size())) > 1e-5f) return false;
    }
  }
  return true;
}

TEST(AlignmentTest, EveryTargetTokenHasARowOverItsSource) {
  ModelUnderTest tested(small_config({}), reference_kernels(), DType::kFloat32);
  const auto found = align(tested.ctx, problem_of(tested, 4096), kSources, kTargets);
  ASSERT_EQ(found.size(), kSources.size());
  for (std::size_t i = 0; i < found.size(); ++i) {
    ASSERT_EQ(found[i].size(), kTargets[i].size());
    for (const std::vector<float>& row : found[i]) {
      EXPECT_EQ(row.size(), kSources[i].size());
      EXPECT_NEAR(std::accumulate(row.begin(), row.end(), 0.0f), 1, 1e-5);
    }
  }
  EXPECT_FALSE(is_even(found[0]));
}

TEST(AlignmentTest, TheBatchDoesNotMatter) {
  for (const Precision& precision : all_precisions()) {
    ModelUnderTest tested(small_config({}), *precision.table, precision.dtype);
    const auto together = align(tested.ctx, problem_of(tested, 4096), kSources, kTargets);
    const double tolerance = precision.dtype == DType::kBFloat16 ? 2e-2 : 1e-5;
    for (const std::int64_t batch_size : {4, 30}) {
      const auto apart = align(tested.ctx, problem_of(tested, batch_size), kSources, kTargets);
      for (std::size_t i = 0; i < apart.size(); ++i) {
        for (std::size_t t = 0; t < apart[i].size(); ++t) {
          for (std::size_t s = 0; s < apart[i][t].size(); ++s) EXPECT_NEAR(apart[i][t][s], together[i][t][s], tolerance) << precision.name;
        }
      }
    }
  }
}

TEST(AlignmentTest, ItIsTheCrossAttentionOfTheLastLayer) {
  for (const auto& [layer, even] : {std::pair{"decoder.layers.0.", false}, {"decoder.layers.1.", true}}) {
    ModelUnderTest tested(small_config({}), reference_kernels(), DType::kFloat32);
    silence(tested, std::string(layer) + "cross_attn.q_proj");
    EXPECT_EQ(is_even(align(tested.ctx, problem_of(tested, 4096), kSources, kTargets)[0]), even) << layer;
  }
}

TEST(AlignmentTest, ARowIsOfTheMomentItsTokenIsPredicted) {
  ModelUnderTest tested(small_config({}), reference_kernels(), DType::kFloat32);
  const Sentences source{{5, 6, 7, 2}};
  const Alignment one = align(tested.ctx, problem_of(tested, 4096), source, Sentences{{4, 9, 5, 2}})[0];
  const Alignment other = align(tested.ctx, problem_of(tested, 4096), source, Sentences{{4, 8, 5, 2}})[0];
  EXPECT_EQ(one[0], other[0]);
  EXPECT_EQ(one[1], other[1]);  // what is read so far is the same
  EXPECT_NE(one[2], other[2]);
}

// Values that are one-hot by position make the attention itself give its weights.
TEST(AlignmentTest, TheWeightsAreThoseThatTheAttentionUses) {
  constexpr std::int64_t kHeads = 2, kDim = 6, kWidth = kHeads * kDim;
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    TestContext ctx;
    const Tensor q = ctx.normal({7, kWidth}, dtype, 1), k = ctx.normal({8, kWidth}, dtype, 2);
    std::vector<double> one_hot(8 * kWidth, 0);
    const std::vector<std::int32_t> key_begin{0, 3}, key_length{3, 5}, query_begin{0, 4}, query_length{4, 3};
    for (std::size_t b = 0; b < 2; ++b) {
      for (std::int32_t j = 0; j < key_length[b]; ++j) {
        for (std::int64_t h = 0; h < kHeads; ++h) one_hot[static_cast<std::size_t>((key_begin[b] + j) * kWidth + h * kDim + j)] = 1;
      }
    }
    const Rows queries{.begin = ctx.ints(query_begin), .length = ctx.ints(query_length), .rows = 7, .sequences = 2, .max_length = 4};
    const Rows keys{.begin = ctx.ints(key_begin), .length = ctx.ints(key_length), .rows = 8, .sequences = 2, .max_length = 5};
    const DotProductAttention attention({.hidden_size = kWidth, .num_heads = kHeads, .max_length = 8}, {});
    const Tensor y = ctx.empty({7, kWidth}, dtype), weights = ctx.empty({7, 5}, DType::kFloat32);
    DotProductAttention::Saved saved;
    attention.forward(ctx, q, {k, ctx.floats(one_hot, dtype, {8, kWidth}), keys}, queries, y, saved);
    attention.weights(ctx, saved, weights);
    const std::vector<double> by_head = to_doubles(y), found = to_doubles(weights);
    for (std::size_t t = 0; t < 7; ++t) {
      for (std::size_t j = 0; j < 5; ++j) {
        EXPECT_NEAR(found[t * 5 + j], (by_head[t * kWidth + j] + by_head[t * kWidth + kDim + j]) / 2, 1e-6) << t << " " << j;
      }
    }
  }
}

TEST(AlignmentTest, HardTakesTheLargestWeightAndLeavesEndTokensOut) {
  const Alignment alignment{{0.1f, 0.5f, 0.4f}, {0.4f, 0.4f, 0.2f}, {0.3f, 0.3f, 0.4f}, {0.9f, 0.1f, 0.0f}};
  EXPECT_THAT(hard_alignment(alignment), ElementsAre(Pair(1, 0), Pair(0, 1)));
}

TEST(AlignmentTest, AModelWithoutAttentionSaysSo) {
  ScriptedGenerator generator(50, copy_source);
  TestContext ctx;
  const SearchProblem problem{.generator = generator, .limits = {}, .target = {}, .source_vocab_size = 50, .align = true};
  EXPECT_THAT([&] { align(ctx, problem, kSources, kTargets); },
              testing::ThrowsMessage<Error>(testing::HasSubstr("decoding.alignment: this model has no attention")));
}

}  // namespace
}  // namespace weft::test

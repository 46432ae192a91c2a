// A model that is cut over the ranks of tensor parallelism (as threads) against one rank that holds all of it.
#include <algorithm>

#include <gtest/gtest.h>

#include "parallel/threads/thread_communicator.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

constexpr std::uint64_t kCutSeed = 5;
// Cut at multiples of 64: four ranks hold 64, 64, 64 and 8 rows; of eight the last four hold none.
constexpr std::int64_t kCutVocabulary = 200;

ModelConfig cut_config(const Variant& variant) {
  ModelConfig config = small_config(variant);
  config.encoder.num_heads = config.decoder.num_heads = variant.modern ? 16 : 8;
  if (variant.modern) config.encoder.num_kv_heads = config.decoder.num_kv_heads = 8;
  config.encoder.ffn_size = config.decoder.ffn_size = 24;
  config.hidden_size = 16;
  config.target_vocab_size = kCutVocabulary;
  config.source_vocab_size = variant.tied_embeddings == TiedEmbeddings::kAll ? kCutVocabulary : 70;
  return config;
}

Batch cut_batch(TestContext& ctx, const ModelConfig& config) {
  return make_random_batch(
      ctx,
      {.source_lengths = {4, 1, 5, 7}, .target_lengths = {3, 5, 1, 8}, .vocab_size = static_cast<std::int32_t>(config.source_vocab_size)});
}

/// Runs `check(rank's model, tp size)` on every rank of 2, 4 and 8.
template <class Check>
void for_each_cut(const ModelConfig& config, const KernelTable& table, DType dtype, const Check& check) {
  for (const int ranks : {2, 4, 8}) {
    SCOPED_TRACE(ranks);
    run_ranks(ranks, {.data = 1, .tensor = ranks}, [&](Mesh& mesh) {
      ModelUnderTest cut(config, table, dtype, kCutSeed, TensorParallel(*mesh.tp));
      check(cut, ranks);
    });
  }
}

class TensorParallelModelTest : public testing::TestWithParam<Variant> {};

TEST_P(TensorParallelModelTest, RanksComputeTogetherWhatOneComputesAlone) {
  for (const bool recompute : {false, true}) {
    ModelConfig config = cut_config(GetParam());
    config.recompute_blocks = recompute;
    ModelUnderTest whole(config, reference_kernels(), kDouble, kCutSeed);
    const std::vector<double> sums = whole.forward_backward(cut_batch(whole.ctx, config));
    const std::vector<double> evaluated = whole.forward(cut_batch(whole.ctx, config));
    for_each_cut(config, reference_kernels(), kDouble, [&](ModelUnderTest& cut, int ranks) {
      EXPECT_LT(relative_error(cut.forward_backward(cut_batch(cut.ctx, config)), sums), 1e-12) << ranks;
      EXPECT_LT(relative_error(cut.forward(cut_batch(cut.ctx, config)), evaluated), 1e-12) << ranks;
      const BoundParameters::Worst worst = cut.bound.worst_gradient(whole.bound);
      EXPECT_LT(worst.error, 1e-11) << worst.part << " with " << ranks << " ranks";
      EXPECT_EQ(cut.set.count(), whole.set.count());
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Variants, TensorParallelModelTest, testing::ValuesIn(all_variants()),
                         [](const auto& param) { return name(param.param); });

TEST(TensorParallelTransformerTest, HoldsInEveryPrecision) {
  for (const Precision& precision : all_precisions()) {
    SCOPED_TRACE(precision.name);
    const ModelConfig config = cut_config({});
    ModelUnderTest whole(config, *precision.table, precision.dtype, kCutSeed);
    const std::vector<double> sums = whole.forward_backward(cut_batch(whole.ctx, config));
    for_each_cut(config, *precision.table, precision.dtype, [&](ModelUnderTest& cut, int ranks) {
      EXPECT_LT(relative_error(cut.forward_backward(cut_batch(cut.ctx, config)), sums), precision.tolerance) << ranks;
      const BoundParameters::Worst worst = cut.bound.worst_gradient(whole.bound);
      EXPECT_LT(worst.error, 10 * precision.tolerance) << worst.part << " with " << ranks << " ranks";
    });
  }
}

/// The logits of a search of two beams over five steps, hypotheses exchanged after each, one leaving half-way; then what the outputs were
/// aligned to.
std::vector<double> decode(ModelUnderTest& tested) {
  TestContext& ctx = tested.ctx;
  const StepArena::Scope scope(ctx.context().memory);
  const StepArena::Mark start = ctx.context().memory.mark();
  const Rows source = make_rows(ctx, {{5, 7, 2}, {150, 9, 33, 2}});
  const auto state = tested.model->start(ctx, source, 2, 6);
  std::vector<double> all;
  std::vector<std::int32_t> tokens{1, 1, 1, 1}, parents{1, 0, 3, 2};
  for (std::int32_t step = 0; step < 5; ++step) {
    const auto n = static_cast<std::int64_t>(tokens.size());
    const Tensor logits = ctx.empty({n, tested.model->vocab_size()}, sum_type(tested.dtype));
    tested.model->step(ctx, *state, ctx.ints(tokens), logits);
    for (const double logit : to_doubles(logits)) all.push_back(logit);
    if (step == 2) tokens.pop_back(), parents = {2, 0, 1};
    tested.model->reorder(ctx, *state, ctx.ints(parents));
    for (std::size_t i = 0; i < tokens.size(); ++i) tokens[i] = (tokens[i] * 7 + step * 31 + static_cast<std::int32_t>(i) * 90) % 199;
  }
  ctx.context().memory.release(start);
  const Rows target = make_rows(ctx, {{1, 199, 64}, {1, 63}});
  const Tensor weights = ctx.empty({5, 4}, DType::kFloat32);
  tested.model->attend(ctx, source, target, weights);
  for (const double weight : to_doubles(weights)) all.push_back(weight);
  return all;
}

TEST(TensorParallelTransformerTest, EveryRankSearchesWithTheLogitsOfAll) {
  for (const Precision& precision : all_precisions()) {
    SCOPED_TRACE(precision.name);
    const ModelConfig config = cut_config({});
    ModelUnderTest whole(config, *precision.table, precision.dtype, kCutSeed);
    const std::vector<double> expected = decode(whole);
    for_each_cut(config, *precision.table, precision.dtype, [&](ModelUnderTest& cut, int ranks) {
      EXPECT_LT(relative_error(decode(cut), expected), std::max(precision.tolerance, 1e-7)) << ranks;  // weights are float32
    });
  }
}

TEST(TensorParallelTransformerTest, ABatchOfOneRowWorks) {
  const ModelConfig config = cut_config({});
  ModelUnderTest whole(config, reference_kernels(), DType::kFloat32, kCutSeed);
  const std::vector<double> sums = whole.forward_backward(make_batch(whole.ctx, {{2}}, {{1}}, {2}));
  for_each_cut(config, reference_kernels(), DType::kFloat32, [&](ModelUnderTest& cut, int) {
    EXPECT_LT(relative_error(cut.forward_backward(make_batch(cut.ctx, {{2}}, {{1}}, {2})), sums), 1e-6);
  });
}

}  // namespace
}  // namespace weft::test

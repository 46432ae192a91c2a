#include <gtest/gtest.h>

#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

class TransformerGradientsTest : public testing::TestWithParam<Variant> {};

TEST_P(TransformerGradientsTest, MatchFiniteDifferencesWithEveryDropoutOn) {
  constexpr double kScale = 0.125;
  ModelUnderTest tested(small_config(GetParam()), reference_kernels(), DType::kFloat64);
  tested.ctx.step_state(StepState::kLossScale) = kScale;
  const Batch batch = small_batch(tested.ctx);
  tested.forward_backward(batch);
  const auto loss = [&] { return kScale * tested.forward_backward(batch)[LossSums::kLoss]; };
  const GradientError error = check_gradients(tested.bound.differentiated(), loss, {.samples = 3});
  EXPECT_LT(error.worst, 1e-7) << error.where;
}

TEST_P(TransformerGradientsTest, AddUpOverPasses) {
  ModelUnderTest tested(small_config(GetParam()), reference_kernels(), DType::kFloat64);
  const Batch batch = small_batch(tested.ctx);
  tested.forward_backward(batch);
  std::vector<double> twice = to_doubles(tested.bound.flat_gradients());
  for (double& value : twice) value *= 2;
  tested.forward_backward(batch);
  EXPECT_LT(relative_error(to_doubles(tested.bound.flat_gradients()), twice), 1e-13);
}

TEST_P(TransformerGradientsTest, RecomputationIsBitwiseTheSame) {
  for (const Precision& precision : all_precisions()) {
    SCOPED_TRACE(precision.name);
    ModelConfig config = small_config(GetParam());
    ModelUnderTest kept(config, *precision.table, precision.dtype);
    config.recompute_blocks = true;
    ModelUnderTest recomputed(config, *precision.table, precision.dtype);
    EXPECT_EQ(kept.forward_backward(small_batch(kept.ctx)), recomputed.forward_backward(small_batch(recomputed.ctx)));
    EXPECT_EQ(to_doubles(kept.bound.flat_gradients()), to_doubles(recomputed.bound.flat_gradients()));
    EXPECT_LT(recomputed.ctx.context().memory.peak(), kept.ctx.context().memory.peak());
  }
}

TEST_P(TransformerGradientsTest, DropoutChangesWithTheStepAndIsOffInEvaluation) {
  ModelUnderTest tested(small_config(GetParam()), reference_kernels(), DType::kFloat64);
  const Batch batch = small_batch(tested.ctx);
  const std::vector<double> first = tested.forward_backward(batch), evaluated = tested.forward(batch);
  tested.ctx.step_state(StepState::kStep) = 2;
  EXPECT_NE(tested.forward_backward(batch), first);
  EXPECT_EQ(tested.forward(batch), evaluated);
  EXPECT_NE(evaluated, first);
}

INSTANTIATE_TEST_SUITE_P(Variants, TransformerGradientsTest, testing::ValuesIn(all_variants()),
                         [](const auto& param) { return name(param.param); });

/// A pass over two sentences is the sum of a pass over each: packing, positions and dropout coordinates keep them apart.
TEST(TransformerTest, ABatchIsTheSumOfItsSentences) {
  ModelUnderTest together(small_config({}), reference_kernels(), DType::kFloat64);
  ModelUnderTest apart(small_config({}), reference_kernels(), DType::kFloat64);
  const Sequences sources{{5, 7, 2}, {9, 2}}, targets{{1, 4}, {1, 6, 8}};
  const std::vector<std::int32_t> labels{4, 2, 6, 8, 2};
  const std::vector<double> sums = together.forward_backward(make_batch(together.ctx, sources, targets, labels));
  Batch first = make_batch(apart.ctx, {sources[0]}, {targets[0]}, {4, 2});
  Batch second = make_batch(apart.ctx, {sources[1]}, {targets[1]}, {6, 8, 2});
  second.source = make_rows(apart.ctx, {sources[1]}, 1);
  second.target = make_rows(apart.ctx, {targets[1]}, 1);
  std::vector<double> added = apart.forward_backward(first);
  const std::vector<double> rest = apart.forward_backward(second);
  for (std::size_t i = 0; i < added.size(); ++i) added[i] += rest[i];
  EXPECT_LT(relative_error(sums, added), 1e-13);
  EXPECT_LT(relative_error(together.bound.flat_gradients(), apart.bound.flat_gradients()), 1e-12);
}

TEST(TransformerTest, ABatchOfOneRowWorks) {
  ModelUnderTest tested(small_config({}), reference_kernels(), DType::kFloat32);
  const std::vector<double> sums = tested.forward_backward(make_batch(tested.ctx, {{2}}, {{1}}, {2}));
  EXPECT_EQ(sums[LossSums::kCount], 1);
  EXPECT_GT(sums[LossSums::kLoss], 0);
}

/// A dummy sequence of weight 0, as fills a micro-batch up: counted nowhere, no gradient.
TEST(TransformerTest, RowsOfWeightZeroChangeNothing) {
  ModelUnderTest without(small_config({}), reference_kernels(), DType::kFloat64);
  ModelUnderTest with(small_config({}), reference_kernels(), DType::kFloat64);
  const std::vector<double> expected = without.forward_backward(make_batch(without.ctx, {{5, 7, 2}}, {{1, 4}}, {4, 2}));
  const std::vector<double> found = with.forward_backward(make_batch(with.ctx, {{5, 7, 2}, {3, 2}}, {{1, 4}, {1, 3}}, {4, 2, -100, -100}));
  EXPECT_LT(relative_error(found, expected), 1e-14);
  EXPECT_LT(relative_error(with.bound.flat_gradients(), without.bound.flat_gradients()), 1e-14);
}

}  // namespace
}  // namespace weft::test

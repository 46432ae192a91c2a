#include <limits>

#include <gtest/gtest.h>

#include "runtime/kernels/optimizer.h"
#include "tests/support/test_context.h"

// The formulas over ten steps are compared with golden files where the optimizer lives; here is what a state with a non-finite norm does.
namespace weft::test {
namespace {

void finish(TestContext& ctx, const std::vector<double>& gradient, double max_grad_norm) {
  kernels::sum_of_squares(ctx, {.x = ctx.floats(gradient, DType::kFloat32, {static_cast<std::int64_t>(gradient.size())})});
  kernels::finish_norm(ctx, {.max_grad_norm = max_grad_norm});
}

TEST(FinishNormTest, ClipsToTheLimit) {
  TestContext ctx;
  finish(ctx, {3, 4}, 1);
  EXPECT_DOUBLE_EQ(ctx.step_state(StepState::kGradNorm), 5);
  EXPECT_DOUBLE_EQ(ctx.step_state(StepState::kClipScale), 1 / (5 + 1e-6));
  EXPECT_EQ(ctx.step_state(StepState::kAdamCount), 1);
  EXPECT_EQ(ctx.step_state(StepState::kFinite), 1);
  EXPECT_EQ(ctx.step_state(StepState::kSumOfSquares), 0);
  finish(ctx, {0.3, 0.4}, 1);
  EXPECT_EQ(ctx.step_state(StepState::kClipScale), 1);
  EXPECT_EQ(ctx.step_state(StepState::kAdamCount), 2);
}

TEST(FinishNormTest, CountsNonFiniteUpdatesInARow) {
  TestContext ctx;
  for (const double bad : {std::numeric_limits<double>::infinity(), std::numeric_limits<double>::quiet_NaN()}) finish(ctx, {1, bad}, 1);
  EXPECT_EQ(ctx.step_state(StepState::kNonFiniteRow), 2);
  EXPECT_EQ(ctx.step_state(StepState::kFinite), 0);
  EXPECT_EQ(ctx.step_state(StepState::kClipScale), 0);
  EXPECT_EQ(ctx.step_state(StepState::kAdamCount), 0);
  finish(ctx, {1, 2}, 0);
  EXPECT_EQ(ctx.step_state(StepState::kNonFiniteRow), 0);
  EXPECT_EQ(ctx.step_state(StepState::kClipScale), 1);
}

TEST(SumOfSquaresTest, IsInDouble) {
  TestContext ctx;
  finish(ctx, {1e30, 1e-30}, 0);  // 1e60 does not fit into float32
  EXPECT_NEAR(ctx.step_state(StepState::kGradNorm) / 1e30, 1, 1e-7);
  EXPECT_EQ(ctx.step_state(StepState::kFinite), 1);
}

TEST(UpdateTest, ANonFiniteNormLeavesEverythingAsItWas) {
  TestContext ctx;
  ctx.step_state(StepState::kLearningRate) = 1;
  finish(ctx, {std::numeric_limits<double>::infinity()}, 1);
  const Tensor gradient = ctx.floats({std::numeric_limits<double>::infinity(), 1}, DType::kFloat32, {2});
  const Tensor master = ctx.floats({1, 2}, DType::kFloat32, {2}), m = ctx.floats({3, 4}, DType::kFloat32, {2});
  const Tensor v = ctx.floats({5, 6}, DType::kFloat32, {2}), average = ctx.floats({7, 8}, DType::kFloat32, {2});
  kernels::adam_update(ctx, {.gradient = gradient, .master = master, .exp_avg = m, .exp_avg_sq = v, .value = master, .weight_decay = 1});
  kernels::sgd_update(ctx, {.gradient = gradient, .master = master, .momentum_buffer = m, .value = master, .momentum = 0.9});
  kernels::ema_update(ctx, {.master = master, .average = average, .decay = 0.5});
  EXPECT_EQ(to_doubles(master), (std::vector<double>{1, 2}));
  EXPECT_EQ(to_doubles(m), (std::vector<double>{3, 4}));
  EXPECT_EQ(to_doubles(v), (std::vector<double>{5, 6}));
  EXPECT_EQ(to_doubles(average), (std::vector<double>{7, 8}));
}

}  // namespace
}  // namespace weft::test

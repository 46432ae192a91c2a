#include <cmath>

#include <gtest/gtest.h>

#include "runtime/kernels/cross_entropy.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/gradient_check.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

void check_gradient(std::int64_t rows, std::int64_t classes, double smoothing) {
  TestContext ctx;
  ctx.step_state(StepState::kLossScale) = 0.125;
  std::vector<double> weights;
  for (std::int64_t r = 0; r < rows; ++r) weights.push_back(static_cast<double>(r % 3));  // 0: a dummy row
  kernels::CrossEntropy a{.logits = ctx.normal({rows, classes}, kDouble, 1),
                          .labels = ctx.ints(random_ints(rows, classes, 2)),
                          .weights = ctx.floats(weights, DType::kFloat32, {rows}),
                          .label_smoothing = smoothing,
                          .dlogits = ctx.empty({rows, classes}, kDouble)};
  const auto loss = [&] {
    a.sums = ctx.zeros({LossSums::kFields}, kDouble);
    kernels::cross_entropy(ctx, a);
    return 0.125 * to_doubles(a.sums)[LossSums::kLoss];
  };
  loss();
  const auto error = check_gradients({{"logits", a.logits, a.dlogits}}, loss);
  EXPECT_LT(error.worst, kGradientTolerance) << rows << "x" << classes << " smoothing " << smoothing << ", worst at " << error.where;
}

TEST(CrossEntropyTest, GradientMatchesFiniteDifferences) {
  for (const double smoothing : {0.0, 0.1}) {
    for (const auto& [rows, classes] : kOddSizes) check_gradient(rows + 1, classes, smoothing);
  }
}

TEST(CrossEntropyTest, AddsToItsSumsAndCountsTiesToTheLowestId) {
  TestContext ctx;
  const Tensor sums = ctx.floats({100, 200, 300, 400}, kDouble, {LossSums::kFields});
  kernels::cross_entropy(ctx, {.logits = ctx.floats({1, 1, 1, 1, 1, 1, 0, 0, 0}, kDouble, {3, 3}),
                               .labels = ctx.ints({0, 1, 2}),
                               .weights = ctx.floats({2, 1, 0}, DType::kFloat32, {3}),
                               .sums = sums});
  const double nll = 3 * std::log(3.0);
  const auto found = to_doubles(sums);
  EXPECT_NEAR(found[LossSums::kLoss], 100 + nll, 1e-12);
  EXPECT_NEAR(found[LossSums::kNll], 200 + nll, 1e-12);
  EXPECT_EQ(found[LossSums::kCount], 303);
  EXPECT_EQ(found[LossSums::kCorrect], 402);
}

TEST(CrossEntropyTest, ADummyRowHasAGradientOfExactlyZero) {
  TestContext ctx;
  const Tensor logits = ctx.normal({1, 9}, kDouble, 1, 100);
  kernels::cross_entropy(ctx, {.logits = logits,
                               .labels = ctx.ints({3}),
                               .weights = ctx.floats({0}, DType::kFloat32, {1}),
                               .label_smoothing = 0.1,
                               .dlogits = logits,
                               .sums = ctx.zeros({LossSums::kFields}, kDouble)});
  for (double gradient : to_doubles(logits)) EXPECT_EQ(gradient, 0);
}

}  // namespace
}  // namespace weft::test

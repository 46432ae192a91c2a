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

/// Pieces of one vocabulary, one of them empty, give the gradient of the whole, and each its loss; a tie goes to the lowest id.
TEST(CrossEntropyTest, PiecesOfAVocabularyAddUpToTheWhole) {
  constexpr std::int64_t kRows = 4, kClasses = 10;
  const std::vector<std::int64_t> begins{0, 3, 3, 8, kClasses};
  TestContext ctx;
  std::vector<double> numbers = to_doubles(ctx.normal({kRows, kClasses}, kDouble, 1, 3.0));
  numbers[2 * kClasses + 2] = numbers[2 * kClasses + 9] = 50;  // row 2: a tie over two pieces
  const Tensor logits = ctx.floats(numbers, kDouble, {kRows, kClasses}), labels = ctx.ints({9, 3, 2, 0});
  const Tensor weights = ctx.floats({1, 2, 1, 0}, DType::kFloat32, {kRows});
  const Tensor dlogits = ctx.empty(logits.shape, kDouble), sums = ctx.zeros({LossSums::kFields}, kDouble);
  kernels::CrossEntropy whole{
      .logits = logits, .labels = labels, .weights = weights, .label_smoothing = 0.1, .dlogits = dlogits, .sums = sums};
  kernels::cross_entropy(ctx, whole);

  const Tensor all = ctx.empty({4 * kRows, SoftmaxStatistics::kFields}, kDouble);
  const Tensor merged = ctx.empty({kRows, SoftmaxStatistics::kFields}, kDouble);
  const auto piece = [&](std::size_t i) { return VocabularyPiece{.first = begins[i], .vocab_size = kClasses}; };
  const auto columns = [&](const Tensor& x, std::size_t i) {
    const Tensor part = x.slice(1, begins[i], begins[i + 1] - begins[i]);
    return ctx.floats(to_doubles(part), kDouble, part.shape);
  };
  for (std::size_t i = 0; i < 4; ++i) {
    kernels::softmax_statistics(ctx, {.logits = columns(logits, i),
                                      .labels = labels,
                                      .piece = piece(i),
                                      .statistics = all.rows(static_cast<std::int64_t>(i) * kRows, kRows)});
  }
  kernels::merge_statistics(ctx, {.pieces = all, .statistics = merged});
  for (std::size_t i = 0; i < 4; ++i) {
    SCOPED_TRACE(i);
    kernels::CrossEntropy part = whole;
    part.logits = columns(logits, i);
    part.piece = piece(i);
    part.statistics = merged;
    part.dlogits = ctx.empty(part.logits.shape, kDouble);
    part.sums = ctx.zeros({LossSums::kFields}, kDouble);
    kernels::cross_entropy(ctx, part);
    EXPECT_LT(relative_error(part.sums, sums), 1e-14);
    EXPECT_LT(relative_error(part.dlogits, columns(dlogits, i)), 1e-13);
  }
}

TEST(CrossEntropyTest, APieceNeedsTheStatisticsOfWholeRows) {
  TestContext ctx;
  kernels::CrossEntropy a{.logits = ctx.zeros({1, 3}, kDouble),
                          .labels = ctx.ints({1}),
                          .weights = ctx.floats({1}, DType::kFloat32, {1}),
                          .piece = {.first = 0, .vocab_size = 9},
                          .sums = ctx.zeros({LossSums::kFields}, kDouble)};
  EXPECT_THROW(kernels::cross_entropy(ctx, a), std::exception);
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

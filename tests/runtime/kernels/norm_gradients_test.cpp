#include <gtest/gtest.h>

#include "runtime/kernels/norm.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/gradient_check.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

constexpr double kEps = 1e-2;  // large enough to show: a backward that forgets it is 1e-2 off

TEST(NormGradients, RmsNormMatchesFiniteDifferences) {
  for (const auto& [rows, columns] : kOddSizes) {
    TestContext ctx;
    const Shape shape{rows, columns};
    const Tensor x = ctx.normal(shape, kDouble, 1), weight = ctx.normal({columns}, kDouble, 2), rstd = ctx.empty({rows}, kDouble);
    const Tensor y = ctx.empty(shape, kDouble), dy = ctx.normal(shape, kDouble, 4), dx = ctx.empty(shape, kDouble);
    const Tensor dweight = ctx.zeros({columns}, kDouble);
    const auto loss = [&] {
      kernels::norm_forward(ctx, {.x = x, .weight = weight, .eps = kEps, .y = y, .rstd = rstd});
      return dot(y, dy);
    };
    loss();
    kernels::norm_backward(ctx, {.dy = dy, .z = x, .weight = weight, .rstd = rstd, .dz = dx, .dweight = dweight});
    const auto error = check_gradients({{"x", x, dx}, {"weight", weight, dweight}}, loss);
    EXPECT_LT(error.worst, kGradientTolerance) << rows << "x" << columns << ", worst at " << error.where;
  }
}

TEST(NormGradients, LayerNormMatchesFiniteDifferences) {
  for (const auto& [rows, columns] : kOddSizes) {
    TestContext ctx;
    const Shape shape{rows, columns};
    const Tensor x = ctx.normal(shape, kDouble, 1), weight = ctx.normal({columns}, kDouble, 2), bias = ctx.normal({columns}, kDouble, 3);
    const Tensor y = ctx.empty(shape, kDouble), mean = ctx.empty({rows}, kDouble), rstd = ctx.empty({rows}, kDouble);
    const Tensor dy = ctx.normal(shape, kDouble, 4), dx = ctx.empty(shape, kDouble);
    const Tensor dweight = ctx.zeros({columns}, kDouble), dbias = ctx.zeros({columns}, kDouble);
    const auto loss = [&] {
      kernels::norm_forward(ctx, {.x = x, .weight = weight, .bias = bias, .eps = kEps, .y = y, .mean = mean, .rstd = rstd});
      return dot(y, dy);
    };
    loss();
    kernels::norm_backward(ctx,
                           {.dy = dy, .z = x, .weight = weight, .mean = mean, .rstd = rstd, .dz = dx, .dweight = dweight, .dbias = dbias});
    const auto error = check_gradients({{"x", x, dx}, {"weight", weight, dweight}, {"bias", bias, dbias}}, loss);
    EXPECT_LT(error.worst, kGradientTolerance) << rows << "x" << columns << ", worst at " << error.where;
  }
}

/// The stream goes on beside the norm: the loss depends on z too, and dz_add is its gradient there.
void check_residual_norm(std::int64_t rows, std::int64_t columns, double p) {
  TestContext ctx;
  const Shape shape{rows, columns};
  const Tensor x = ctx.normal(shape, kDouble, 1), residual = ctx.normal(shape, kDouble, 2);
  const Tensor weight = ctx.normal({columns}, kDouble, 3), bias = ctx.normal({columns}, kDouble, 4);
  const Tensor z = ctx.empty(shape, kDouble), y = ctx.empty(shape, kDouble), mean = ctx.empty({rows}, kDouble);
  const Tensor rstd = ctx.empty({rows}, kDouble), dy = ctx.normal(shape, kDouble, 5), dz_add = ctx.normal(shape, kDouble, 6);
  const Tensor dresidual = ctx.empty(shape, kDouble), dx = ctx.empty(shape, kDouble);
  const Tensor dweight = ctx.zeros({columns}, kDouble), dbias = ctx.zeros({columns}, kDouble);
  const RowDropout dropout = row_dropout(ctx, rows, p);
  const auto loss = [&] {
    kernels::norm_forward(ctx, {.x = x,
                                .residual = residual,
                                .dropout = dropout,
                                .weight = weight,
                                .bias = bias,
                                .eps = kEps,
                                .z = z,
                                .y = y,
                                .mean = mean,
                                .rstd = rstd});
    return dot(y, dy) + dot(z, dz_add);
  };
  loss();
  kernels::norm_backward(ctx, {.dy = dy,
                               .z = z,
                               .weight = weight,
                               .mean = mean,
                               .rstd = rstd,
                               .dz_add = dz_add,
                               .dropout = dropout,
                               .dz = dresidual,
                               .dx = dx,
                               .dweight = dweight,
                               .dbias = dbias});
  const auto error =
      check_gradients({{"x", x, dx}, {"residual", residual, dresidual}, {"weight", weight, dweight}, {"bias", bias, dbias}}, loss);
  EXPECT_LT(error.worst, kGradientTolerance) << rows << "x" << columns << " dropout " << p << ", worst at " << error.where;
}

TEST(NormGradients, ResidualNormMatchesFiniteDifferences) {
  for (const auto& [rows, columns] : kOddSizes) check_residual_norm(rows, columns, 0);
}

TEST(NormGradients, ResidualNormWithDropoutMatchesFiniteDifferences) {
  for (const auto& [rows, columns] : kOddSizes) check_residual_norm(rows, columns, 0.4);
}

TEST(NormGradients, WeightGradientsAccumulate) {
  TestContext ctx;
  const Tensor x = ctx.normal({3, 5}, kDouble, 1), weight = ctx.normal({5}, kDouble, 2), dx = ctx.empty({3, 5}, kDouble);
  const Tensor mean = ctx.normal({3}, kDouble, 3), rstd = ctx.normal({3}, kDouble, 4);
  const Tensor dweight = ctx.zeros({5}, kDouble), dbias = ctx.zeros({5}, kDouble);
  const auto backward = [&] {
    kernels::norm_backward(ctx,
                           {.dy = x, .z = x, .weight = weight, .mean = mean, .rstd = rstd, .dz = dx, .dweight = dweight, .dbias = dbias});
  };
  backward();
  const auto once = to_doubles(dweight);
  backward();
  const auto twice = to_doubles(dweight);
  for (std::size_t c = 0; c < once.size(); ++c) EXPECT_NEAR(twice[c], 2 * once[c], 1e-12);
}

}  // namespace
}  // namespace weft::test

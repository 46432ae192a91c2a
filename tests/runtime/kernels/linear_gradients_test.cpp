#include <gtest/gtest.h>

#include "runtime/kernels/matmul.h"
#include "runtime/kernels/swiglu.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/gradient_check.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

constexpr Activation kActivations[] = {Activation::kNone, Activation::kRelu, Activation::kGelu, Activation::kGeluTanh};

/// y = dropout(activation(x W^T + b)) as a layer composes it: every kernel of a feed-forward's backward.
void check_linear(std::int64_t rows, std::int64_t in, std::int64_t out, Activation activation) {
  TestContext ctx;
  const Tensor x = ctx.normal({rows, in}, kDouble, 1), weight = ctx.normal({out, in}, kDouble, 2), bias = ctx.normal({out}, kDouble, 3);
  const Tensor pre = ctx.empty({rows, out}, kDouble), y = ctx.empty({rows, out}, kDouble), dropped = ctx.empty({rows, out}, kDouble);
  const Tensor dy = ctx.normal({rows, out}, kDouble, 4), dpre = ctx.empty({rows, out}, kDouble), dx = ctx.empty({rows, in}, kDouble);
  const Tensor dweight = ctx.zeros({out, in}, kDouble), dbias = ctx.zeros({out}, kDouble);
  const RowDropout dropout = row_dropout(ctx, rows, 0.25);
  const auto loss = [&] {
    kernels::matmul(ctx, {.a = x, .b = weight, .transpose_b = true, .bias = bias, .activation = activation, .pre_activation = pre, .y = y});
    kernels::dropout(ctx, {.x = y, .dropout = dropout, .y = dropped});
    return dot(dropped, dy);
  };
  loss();
  kernels::dropout(ctx, {.x = dy, .dropout = dropout, .y = dpre});
  kernels::activation_backward(ctx, {.dy = dpre, .x = pre, .activation = activation, .dx = dpre});
  kernels::matmul(ctx, {.a = dpre, .b = weight, .y = dx});
  kernels::matmul(ctx, {.a = dpre, .b = x, .transpose_a = true, .accumulate = true, .y = dweight});
  kernels::bias_gradient(ctx, {.dy = dpre, .dbias = dbias});
  const auto error =
      check_gradients({{"x", x, dx}, {"weight", weight, dweight}, {"bias", bias, dbias}}, loss, {.step = 1e-4});  // clear of relu's kink
  EXPECT_LT(error.worst, kGradientTolerance) << rows << "x" << in << "x" << out << " activation " << static_cast<int>(activation)
                                             << ", worst at " << error.where;
}

TEST(LinearGradients, MatchFiniteDifferences) {
  for (const Activation activation : kActivations) {
    for (const auto& [rows, columns] : kOddSizes) check_linear(rows, columns, 5, activation);
    check_linear(4, 3, 1, activation);
  }
}

TEST(SwigluGradients, MatchFiniteDifferences) {
  for (const auto& [rows, columns] : kOddSizes) {
    TestContext ctx;
    const Tensor gate_up = ctx.normal({rows, 2 * columns}, kDouble, 1), h = ctx.empty({rows, columns}, kDouble);
    const Tensor dh = ctx.normal(h.shape, kDouble, 2), dgate_up = ctx.empty(gate_up.shape, kDouble);
    const RowDropout dropout = row_dropout(ctx, rows, 0.3);
    kernels::swiglu_backward(ctx, {.dh = dh, .gate_up = gate_up, .dropout = dropout, .dgate_up = dgate_up});
    const auto error = check_gradients({{"gate and up", gate_up, dgate_up}}, [&] {
      kernels::swiglu_forward(ctx, {.gate_up = gate_up, .dropout = dropout, .h = h});
      return dot(h, dh);
    });
    EXPECT_LT(error.worst, kGradientTolerance) << error.where;
  }
}

TEST(ResidualGradients, MatchFiniteDifferences) {
  for (const auto& [rows, columns] : kOddSizes) {
    TestContext ctx;
    const Tensor x = ctx.normal({rows, columns}, kDouble, 1), residual = ctx.normal(x.shape, kDouble, 2);
    const Tensor y = ctx.empty(x.shape, kDouble), dy = ctx.normal(x.shape, kDouble, 3), dx = ctx.empty(x.shape, kDouble);
    const RowDropout dropout = row_dropout(ctx, rows, 0.5);
    kernels::dropout(ctx, {.x = dy, .dropout = dropout, .y = dx});  // its backward; that of the residual is dy itself
    const auto error = check_gradients({{"x", x, dx}, {"residual", residual, dy}}, [&] {
      kernels::dropout(ctx, {.x = x, .residual = residual, .dropout = dropout, .y = y});
      return dot(y, dy);
    });
    EXPECT_LT(error.worst, kGradientTolerance) << error.where;
  }
}

TEST(ActivationBackward, ReluHasDerivativeZeroAtZero) {
  TestContext ctx;
  const Tensor x = ctx.floats({-1, 0, 2}, kDouble, {1, 3}), dy = ctx.floats({5, 6, 7}, kDouble, {1, 3});
  kernels::activation_backward(ctx, {.dy = dy, .x = x, .activation = Activation::kRelu, .dx = dy});
  EXPECT_EQ(to_doubles(dy), (std::vector<double>{0, 0, 7}));
}

TEST(ActivationBackward, GeluIsExactInItsTails) {
  TestContext ctx;
  const Tensor x = ctx.floats({-30, -8, 8, 30}, kDouble, {4, 1}), one = ctx.floats({1}, kDouble, {1, 1}), y = ctx.empty({4, 1}, kDouble);
  kernels::matmul(ctx, {.a = x, .b = one, .activation = Activation::kGelu, .y = y});
  const auto values = to_doubles(y);
  EXPECT_LT(std::abs(values[0]), 1e-190);
  EXPECT_NEAR(values[1] / -4.976768e-15, 1, 1e-6);  // -8 Phi(-8), Phi(-8) = 6.22096e-16: 1 + erf would give 0 here
  EXPECT_NEAR(values[2], 8, 1e-14);
  EXPECT_DOUBLE_EQ(values[3], 30);
}

}  // namespace
}  // namespace weft::test

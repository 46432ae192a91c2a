#include <gtest/gtest.h>

#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/matmul.h"
#include "tests/support/golden.h"

// Kernels that are a layer of their own against values made with another framework; tolerances: tests/golden/README.md.
namespace weft::test {
namespace {

struct Precision {
  DType dtype;
  double tolerance;
};
constexpr Precision kPrecisions[] = {{DType::kFloat64, 1e-10}, {DType::kFloat32, 1e-5}, {DType::kBFloat16, 2e-2}};

Tensor identity(TestContext& ctx, std::int64_t size, DType dtype) {
  std::vector<double> values(static_cast<std::size_t>(size * size), 0.0);
  for (std::size_t i = 0; i < values.size(); i += static_cast<std::size_t>(size) + 1) values[i] = 1;
  return ctx.floats(values, dtype, {size, size});
}

/// An activation runs inside a product.
void check_activation(const std::string& name, Activation activation) {
  const GoldenFile file("layers/" + name);
  for (const Precision& precision : kPrecisions) {
    TestContext ctx;
    const Tensor x = file.tensor(ctx, "input.x", precision.dtype), dy = file.tensor(ctx, "input.dy", precision.dtype);
    const Tensor y = ctx.empty(x.shape, precision.dtype);
    kernels::matmul(ctx, {.a = x, .b = identity(ctx, x.size(1), precision.dtype), .activation = activation, .y = y});
    kernels::activation_backward(ctx, {.dy = dy, .x = x, .activation = activation, .dx = dy});
    EXPECT_LT(relative_error(to_doubles(y), file.doubles("output.y")), precision.tolerance) << name;
    EXPECT_LT(relative_error(to_doubles(dy), file.doubles("output.dx")), precision.tolerance) << name;
  }
}

TEST(GoldenActivations, ForwardAndBackwardMatch) {
  check_activation("relu", Activation::kRelu);
  check_activation("gelu", Activation::kGelu);
  check_activation("gelu_tanh", Activation::kGeluTanh);
}

/// An ignored label becomes a valid id with weight 0; the mean is the loss scale 1 / count.
void check_cross_entropy(const std::string& name) {
  const GoldenFile file("layers/" + name);
  std::vector<std::int32_t> labels = file.ints("input.labels");
  std::vector<double> weights;
  for (std::int32_t& label : labels) {
    weights.push_back(label == -100 ? 0 : 1);
    if (label == -100) label = 0;
  }
  for (const Precision& precision : kPrecisions) {
    if (precision.dtype == DType::kBFloat16) continue;  // its step near 1000 is 4, and logits are never stored in it
    TestContext ctx;
    const Tensor logits = file.tensor(ctx, "input.logits", precision.dtype), dlogits = ctx.empty(logits.shape, precision.dtype);
    const Tensor sums = ctx.zeros({LossSums::kFields}, DType::kFloat64);
    const double count = file.ints("output.count").at(0);
    const bool mean = name.ends_with("mean");
    ctx.step_state(StepState::kLossScale) = mean ? 1 / count : 1;
    kernels::cross_entropy(ctx, {.logits = logits,
                                 .labels = ctx.ints(labels),
                                 .weights = ctx.floats(weights, DType::kFloat32, {static_cast<std::int64_t>(weights.size())}),
                                 .label_smoothing = file.config().at("label_smoothing").as_double(),
                                 .dlogits = dlogits,
                                 .sums = sums});
    const auto found = to_doubles(sums);
    EXPECT_EQ(found[LossSums::kCount], count) << name;
    EXPECT_LT(relative_error({found[LossSums::kLoss] / (mean ? count : 1)}, file.doubles("output.loss")), precision.tolerance) << name;
    // 1e-4 in float32: the logits of row 0 are near 1000.
    EXPECT_LT(relative_error(to_doubles(dlogits), file.doubles("output.dlogits")),
              precision.dtype == DType::kFloat32 ? 1e-4 : precision.tolerance)
        << name;
  }
}

TEST(GoldenCrossEntropy, LossAndGradientMatch) {
  for (const char* name : {"cross_entropy_sum", "cross_entropy_mean", "cross_entropy_smoothed_sum", "cross_entropy_smoothed_ignore_sum",
                           "cross_entropy_smoothed_ignore_mean", "cross_entropy_ignore_all"}) {
    check_cross_entropy(name);
  }
}

}  // namespace
}  // namespace weft::test

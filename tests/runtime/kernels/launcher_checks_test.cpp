#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/error.h"
#include "runtime/kernels/table.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

using testing::HasSubstr;
constexpr DType kFloat = DType::kFloat32;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kInternal);
    return error.what();
  }
  return "no error";
}

class LauncherChecks : public testing::Test {
 protected:
  TestContext ctx_;
  Tensor x_ = ctx_.zeros({4, 6}, kFloat);
};

TEST_F(LauncherChecks, StridedRowsAreRefusedWhereTheHeaderDoesNotAllowThem) {
  const StridedMatrix strided(ctx_, {4, 6}, kFloat, 1, 2);
  EXPECT_THAT(message_of([&] { kernels::dropout(ctx_, {.x = strided.part, .y = x_}); }),
              HasSubstr("dropout: x is strided float32 (4, 6), expected contiguous"));
  EXPECT_EQ(message_of([&] { kernels::convert(ctx_, {.x = strided.part, .y = x_}); }), "no error");
}

TEST_F(LauncherChecks, DropoutNeedsTheCoordinatesOfItsRows) {
  EXPECT_THAT(message_of([&] { kernels::dropout(ctx_, {.x = x_, .dropout = row_dropout(ctx_, 3, 0.1), .y = x_}); }),
              HasSubstr("dropout: dropout.sample is int32 (3), expected int32 (4)"));
  EXPECT_THAT(message_of([&] { kernels::dropout(ctx_, {.x = x_, .dropout = row_dropout(ctx_, 4, 1.0), .y = x_}); }),
              HasSubstr("dropout: dropout is outside [0, 1)"));
}

TEST_F(LauncherChecks, StatisticsAndSumsHaveTheSumType) {
  const Tensor x = ctx_.zeros({4, 6}, DType::kBFloat16), vector = ctx_.zeros({6}, DType::kBFloat16);
  EXPECT_THAT(message_of([&] { kernels::bias_gradient(ctx_, {.dy = x, .dbias = vector}); }),
              HasSubstr("bias_gradient: dbias is bfloat16 (6), expected float32 (6)"));
  EXPECT_THAT(message_of([&] { kernels::cross_entropy(ctx_, {.logits = x}); }), HasSubstr("cross_entropy: logits is bfloat16 (4, 6)"));
}

TEST_F(LauncherChecks, ANormThatDropsNeedsAnInputGradientOfItsOwn) {
  const Tensor vector = ctx_.zeros({6}, kFloat), column = ctx_.zeros({4}, kFloat);
  EXPECT_THAT(message_of([&] {
                kernels::norm_backward(ctx_, {.dy = x_,
                                              .z = x_,
                                              .weight = vector,
                                              .mean = column,
                                              .rstd = column,
                                              .dropout = row_dropout(ctx_, 4, 0.5),
                                              .dz = x_,
                                              .dweight = vector,
                                              .dbias = vector});
              }),
              HasSubstr("dx may be absent only where nothing is dropped"));
}

TEST_F(LauncherChecks, ANormDropsOnlyOnItsWayToAResidual) {
  const Tensor vector = ctx_.zeros({6}, kFloat), column = ctx_.zeros({4}, kFloat);
  kernels::NormForward norm{
      .x = x_, .dropout = row_dropout(ctx_, 4, 0.5), .weight = vector, .bias = vector, .y = x_, .mean = column, .rstd = column};
  EXPECT_THAT(message_of([&] { kernels::norm_forward(ctx_, norm); }), HasSubstr("dropout and z go with a residual"));
  norm.residual = x_;
  EXPECT_THAT(message_of([&] { kernels::norm_forward(ctx_, norm); }), HasSubstr("norm_forward: z is absent"));
}

TEST_F(LauncherChecks, KeyHeadsDivideQueryHeads) {
  const Tensor q = ctx_.zeros({4, 3, 2}, kFloat), k = ctx_.zeros({4, 2, 2}, kFloat);
  EXPECT_THAT(message_of([&] { kernels::attention_forward(ctx_, {.q = q, .k = k, .v = k, .y = q}); }),
              HasSubstr("attention_forward: the heads of k do not divide the heads of q"));
}

TEST_F(LauncherChecks, UpdatesWantMastersInTheSumTypeOfTheValues) {
  const Tensor n = ctx_.zeros({3}, kFloat);
  EXPECT_THAT(message_of([&] { kernels::sgd_update(ctx_, {.gradient = n, .master = n, .value = ctx_.zeros({3}, DType::kFloat64)}); }),
              HasSubstr("sgd_update: master is not in the sum type of value"));
  EXPECT_THAT(message_of([&] { kernels::exchange(ctx_, {.a = n, .b = n.slice(0, 0, 2)}); }),
              HasSubstr("exchange: b is float32 (2), expected float32 (3)"));
}

}  // namespace
}  // namespace weft::test

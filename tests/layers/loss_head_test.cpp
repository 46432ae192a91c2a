#include <optional>

#include <gtest/gtest.h>

#include "layers/loss_head.h"
#include "runtime/kernels/cross_entropy.h"
#include "tests/layers/bound_parameters.h"

namespace weft::test {
namespace {

constexpr std::int64_t kHeadWidth = 4, kVocabulary = 7;

class LossHeadTest : public testing::Test {
 protected:
  LossHeadTest() : weight_(ParameterScope(set_, "lm_head", 0).add("weight", {kVocabulary, kHeadWidth}, Init::xavier_uniform())) {
    set_.lay_out();
    bound_.emplace(ctx_, set_, kDouble);
  }
  LossHead::Input input(std::int64_t rows) {
    std::vector<std::int32_t> labels;
    std::vector<double> weights;
    for (std::int64_t r = 0; r < rows; ++r) {
      labels.push_back(static_cast<std::int32_t>(r * 3 % kVocabulary));
      weights.push_back(r % 5 == 2 ? 0 : 1);
    }
    return {ctx_.normal({rows, kHeadWidth}, kDouble, 3), ctx_.ints(labels), ctx_.floats(weights, DType::kFloat32, {rows})};
  }

  TestContext ctx_;
  ParameterSet set_{3};
  Parameter& weight_;
  std::optional<BoundParameters> bound_;
};

TEST_F(LossHeadTest, GradientsMatchFiniteDifferencesAndCarryTheLossScale) {
  constexpr double kScale = 0.25;
  ctx_.step_state(StepState::kLossScale) = kScale;
  const LossHead head(weight_, 0.1);
  const LossHead::Input in = input(6);
  const Tensor dx = ctx_.empty({6, kHeadWidth}, kDouble);
  head.forward_backward(ctx_, in, dx, ctx_.zeros({LossSums::kFields}, DType::kFloat64));
  std::vector<Differentiated> tensors = bound_->differentiated();
  tensors.push_back({"x", in.x, dx});
  const auto loss = [&] {
    const Tensor sums = ctx_.zeros({LossSums::kFields}, DType::kFloat64);
    head.forward(ctx_, in, sums);
    return kScale * sums.as<double>()[LossSums::kLoss];
  };
  const GradientError error = check_gradients(tensors, loss);
  EXPECT_LT(error.worst, 1e-8) << error.where;
}

TEST_F(LossHeadTest, ChunksMakeNoDifference) {
  const std::int64_t rows = 2 * LossHead::kChunkRows + 5;
  const LossHead head(weight_, 0.1);
  const LossHead::Input in = input(rows);
  const Tensor dx = ctx_.empty({rows, kHeadWidth}, kDouble), sums = ctx_.zeros({LossSums::kFields}, DType::kFloat64);
  head.forward_backward(ctx_, in, dx, sums);
  const std::vector<double> gradient = bound_->gradient("lm_head.weight");
  EXPECT_EQ(sums.as<double>()[LossSums::kCount], rows - (rows + 2) / 5);

  // The same rows one at a time.
  bound_->zero_gradients();
  const Tensor dx_by_row = ctx_.empty({rows, kHeadWidth}, kDouble), sums_by_row = ctx_.zeros({LossSums::kFields}, DType::kFloat64);
  for (std::int64_t r = 0; r < rows; ++r) {
    const LossHead::Input row{in.x.rows(r, 1), in.labels.rows(r, 1), in.weights.rows(r, 1)};
    head.forward_backward(ctx_, row, dx_by_row.rows(r, 1), sums_by_row);
  }
  EXPECT_LT(relative_error(dx, dx_by_row), 1e-13);
  EXPECT_LT(relative_error(sums, sums_by_row), 1e-13);
  EXPECT_LT(relative_error(gradient, bound_->gradient("lm_head.weight")), 1e-13);
}

TEST_F(LossHeadTest, LossOnlyGivesTheSameSumsBitForBit) {
  const std::int64_t rows = LossHead::kChunkRows + 1;
  const LossHead head(weight_, 0.1);
  const LossHead::Input in = input(rows);
  const Tensor with = ctx_.zeros({LossSums::kFields}, DType::kFloat64), without = ctx_.zeros({LossSums::kFields}, DType::kFloat64);
  head.forward_backward(ctx_, in, ctx_.empty({rows, kHeadWidth}, kDouble), with);
  head.forward(ctx_, in, without);
  EXPECT_EQ(to_doubles(with), to_doubles(without));
}

TEST_F(LossHeadTest, MemoryIsThatOfOneChunk) {
  const LossHead head(weight_, 0);
  const auto peak = [&](std::int64_t rows) {
    TestContext ctx;
    const LossHead::Input in = input(rows);
    head.forward_backward(ctx, in, ctx_.empty({rows, kHeadWidth}, kDouble), ctx_.zeros({LossSums::kFields}, DType::kFloat64));
    return ctx.context().memory.peak();
  };
  EXPECT_EQ(peak(LossHead::kChunkRows), peak(3 * LossHead::kChunkRows + 1));
}

}  // namespace
}  // namespace weft::test

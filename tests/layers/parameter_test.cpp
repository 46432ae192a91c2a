#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "layers/parameter.h"
#include "runtime/error.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

double largest_magnitude(const std::vector<double>& values) {
  double most = 0;
  for (double value : values) most = std::max(most, std::abs(value));
  return most;
}

double deviation(const std::vector<double>& values) {
  double squares = 0;
  for (double value : values) squares += value * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

TEST(ParameterSetTest, LiesFlatByBlockWithConstantsLast) {
  ParameterSet set(1);
  const ParameterScope later(set, "later", 1), earlier(set, "earlier", 0);
  const Parameter& a = later.add("a", {3, 5}, Init::zeros());
  const Parameter& constant = earlier.add_constant("constant", {70}, Init::zeros());
  const Parameter& b = earlier.add("b", {64}, Init::ones());
  const Parameter& c = later.add("c", {1}, Init::ones());
  set.lay_out();
  EXPECT_EQ(b.offset, 0);
  EXPECT_EQ(a.offset, 64);
  EXPECT_EQ(c.offset, 128);
  EXPECT_EQ(constant.offset, 192);
  ASSERT_EQ(set.num_blocks(), 2);
  EXPECT_EQ(set.block(0).begin, 0);
  EXPECT_EQ(set.block(0).end, 64);
  EXPECT_EQ(set.block(1).begin, 64);
  EXPECT_EQ(set.block(1).end, 192);
  EXPECT_EQ(set.elements(), 192);
  EXPECT_EQ(set.total_elements(), 192 + 128);
  EXPECT_EQ(set.count(), 64 + 15 + 1);
}

TEST(ParameterSetTest, BindsViewsIntoFlatStorage) {
  ParameterSet set(1);
  const ParameterScope scope(set, "layer", 0);
  Parameter& weight = scope.add("weight", {3, 5}, Init::zeros());
  Parameter& frozen = scope.add("frozen", {2}, Init::zeros());
  frozen.trained = false;
  set.lay_out();
  TestContext ctx;
  const Tensor values = ctx.zeros({set.total_elements()}, DType::kBFloat16), gradients = ctx.zeros({set.elements()}, DType::kFloat32);
  set.bind_values(values);
  set.bind_gradients([&](FlatRange range) { return gradients.rows(range.begin, range.end - range.begin); });
  EXPECT_EQ(weight.value.shape, (Shape{3, 5}));
  EXPECT_EQ(weight.value.data, values.data);
  EXPECT_EQ(frozen.value.data, values.data + 64 * 2);
  EXPECT_EQ(weight.grad.dtype, DType::kFloat32);
  EXPECT_FALSE(frozen.grad.defined());
  EXPECT_THROW(set.bind_values(gradients.rows(0, 3)), Error);
}

TEST(ParameterSetTest, ANameIsTakenOnce) {
  ParameterSet set(1);
  const ParameterScope scope(set, "layer", 0);
  scope.add("weight", {3}, Init::zeros());
  EXPECT_THROW(scope.add("weight", {3}, Init::zeros()), Error);
}

TEST(ParameterScopeTest, FusedPartsLieOneBelowTheOther) {
  ParameterSet set(1);
  const ParameterScope scope = ParameterScope(set, "encoder", 2).child("layers.0").child("self_attn");
  const Parameter& fused = scope.add_fused({{"q_proj.weight", 4}, {"k_proj.weight", 2}}, 3, Init::xavier_uniform(), true);
  ASSERT_EQ(fused.parts.size(), 2u);
  EXPECT_EQ(fused.shape, (Shape{6, 3}));
  EXPECT_EQ(fused.parts[1].name, "encoder.layers.0.self_attn.k_proj.weight");
  EXPECT_EQ(fused.parts[1].shape, (Shape{2, 3}));
  EXPECT_EQ(fused.parts[1].row, 4);
  EXPECT_EQ(fused.block, 2);
  EXPECT_TRUE(fused.decayed);
}

class InitialValuesTest : public testing::Test {
 protected:
  std::vector<double> draw(const Parameter& parameter, DType dtype = DType::kFloat64) {
    const Tensor out = ctx_.empty(parameter.shape, dtype);
    draw_initial_values(parameter, set_.seed(), out);
    return to_doubles(out);
  }
  TestContext ctx_;
  ParameterSet set_{5};
  ParameterScope scope_{set_, "", 0};
};

TEST_F(InitialValuesTest, XavierUniformIsByTheShapeOfEachPart) {
  const Parameter& fused = scope_.add_fused({{"q", 64}, {"k", 64}}, 32, Init::xavier_uniform(0.5), true);
  const std::vector<double> values = draw(fused);
  const double bound = 0.5 * std::sqrt(6.0 / (64 + 32));
  EXPECT_LE(largest_magnitude(values), bound);
  EXPECT_GT(largest_magnitude(values), 0.99 * bound);
  EXPECT_NEAR(deviation(values), bound / std::sqrt(3.0), 0.02 * bound);
}

TEST_F(InitialValuesTest, APartIsTheSameFusedOrAloneAndInAnyDtype) {
  const Parameter& fused = scope_.add_fused({{"q", 4}, {"k", 4}}, 6, Init::xavier_uniform(), true);
  ParameterSet other(5);
  const Parameter& alone = ParameterScope(other, "", 0).add("k", {4, 6}, Init::xavier_uniform());
  const std::vector<double> both = draw(fused), one = draw(alone), narrow = draw(alone, DType::kFloat32);
  EXPECT_EQ(std::vector<double>(both.begin() + 24, both.end()), one);
  EXPECT_NE(std::vector<double>(both.begin(), both.begin() + 24), one);
  EXPECT_LT(relative_error(narrow, one), 1e-7);
}

TEST_F(InitialValuesTest, ABoxHoldsTheNumbersOfTheWholeTensor) {
  const Parameter& whole = scope_.add("w", {4, 6}, Init::normal(2));
  Parameter box = whole;
  box.shape = Shape{2, 3};
  box.parts[0].box = {Shape{1, 2}, Shape{2, 3}};
  const std::vector<double> all = draw(whole), some = draw(box);
  for (std::size_t r = 0; r < 2; ++r) {
    for (std::size_t c = 0; c < 3; ++c) EXPECT_EQ(some[r * 3 + c], all[(r + 1) * 6 + c + 2]);
  }
}

TEST_F(InitialValuesTest, NormalHasItsDeviation) {
  EXPECT_NEAR(deviation(draw(scope_.add("w", {100, 100}, Init::normal(0.02)))), 0.02, 0.0005);
}

TEST_F(InitialValuesTest, SinusoidsInterleave) {
  const std::vector<double> values = draw(scope_.add_constant("positions", {3, 4}, Init::sinusoidal()));
  EXPECT_EQ(values[0], 0);
  EXPECT_EQ(values[1], 1);
  EXPECT_DOUBLE_EQ(values[8], std::sin(2.0));
  EXPECT_DOUBLE_EQ(values[9], std::cos(2.0));
  EXPECT_DOUBLE_EQ(values[10], std::sin(2.0 / 100));
  EXPECT_DOUBLE_EQ(values[11], std::cos(2.0 / 100));
}

}  // namespace
}  // namespace weft::test

// Every backward, element by element, with dropout on, against finite differences in double.
#include <algorithm>
#include <cmath>
#include <optional>

#include <gtest/gtest.h>

#include "layers/attention/cross_attention.h"
#include "layers/attention/self_attention.h"
#include "layers/embedding.h"
#include "layers/feed_forward.h"
#include "layers/norm.h"
#include "tests/layers/bound_parameters.h"
#include "tests/support/batches.h"

namespace weft::test {
namespace {

constexpr double kTolerance = 1e-8;
constexpr std::int64_t kWidth = 8;
const std::vector<std::int32_t> kLengths = {3, 1, 4};

class LayerGradientsTest : public testing::Test {
 protected:
  Tensor normal(Shape shape) { return ctx_.normal(shape, kDouble, seed_++); }
  /// `forward` computes y from x; `backward` computes dx and the parameters' gradients for dy.
  template <class Forward, class Backward>
  void check(std::vector<Differentiated> inputs, Tensor y, Tensor dy, const BoundParameters& bound, Forward forward, Backward backward,
             GradientCheckOptions options = {}) {
    const auto loss = [&] {
      const StepArena::Mark start = ctx_.context().memory.mark();
      forward();
      ctx_.context().memory.release(start);
      return dot(y, dy);
    };
    forward();
    backward();
    for (const Differentiated& parameter : bound.differentiated()) inputs.push_back(parameter);
    const GradientError error = check_gradients(inputs, loss, options);
    EXPECT_LT(error.worst, kTolerance) << error.where;
    EXPECT_FALSE(error.where.empty());
  }

  TestContext ctx_;
  ParameterSet set_{7};
  ParameterScope scope_{set_, "layer", 0};
  std::uint64_t seed_ = 1;
  void bind() {
    set_.lay_out();
    bound_.emplace(ctx_, set_, kDouble);
  }
  std::optional<BoundParameters> bound_;
};

TEST_F(LayerGradientsTest, Linear) {
  const Linear linear({.in_features = 5, .outputs = {{"a", 3}, {"b", 4}}}, scope_);
  bind();
  const Tensor x = normal({6, 5}), dy = normal({6, 7}), y = ctx_.empty({6, 7}, kDouble), dx = ctx_.empty({6, 5}, kDouble);
  check(
      {{"x", x, dx}}, y, dy, *bound_, [&] { linear.forward(ctx_, x, y); }, [&] { linear.backward(ctx_, dy, x, dx); });
}

TEST_F(LayerGradientsTest, LayerNormWithAGradientBesideIt) {
  const Norm norm({kWidth, 1e-5}, scope_);
  bind();
  const Shape shape{5, kWidth};
  const Tensor x = normal(shape), dy = normal(shape), beside = normal(shape), y = ctx_.empty(shape, kDouble),
               dx = ctx_.empty(shape, kDouble);
  Norm::Saved saved;
  // y + the residual stream that goes past the norm: one tensor of twice the rows.
  const Tensor both = ctx_.empty({10, kWidth}, kDouble), dboth = ctx_.empty({10, kWidth}, kDouble);
  const auto stack = [](const Tensor& to, const Tensor& upper, const Tensor& lower) {
    std::copy_n(upper.as<double>(), 5 * kWidth, to.as<double>());
    std::copy_n(lower.as<double>(), 5 * kWidth, to.as<double>() + 5 * kWidth);
  };
  stack(dboth, dy, beside);
  check(
      {{"x", x, dx}}, both, dboth, *bound_,
      [&] {
        norm.forward(ctx_, {.x = x}, y, saved);
        stack(both, y, x);
      },
      [&] { norm.backward(ctx_, saved, {.dy = dy, .dz_add = beside, .dz = dx}); });
}

TEST_F(LayerGradientsTest, LayerNormOfAResidualWithDropout) {
  const Norm norm({kWidth, 1e-5}, scope_);
  bind();
  const Rows rows = make_rows_of_lengths(ctx_, kLengths);
  const RowDropout dropout{.site = {scope_.site("dropout"), 0.3}, .sample = rows.sample, .positions = rows.positions};
  const Shape shape{8, kWidth};
  const Tensor x = normal(shape), residual = normal(shape), dy = normal(shape), y = ctx_.empty(shape, kDouble);
  const Tensor z = ctx_.empty(shape, kDouble), dx = ctx_.empty(shape, kDouble), dresidual = ctx_.empty(shape, kDouble);
  Norm::Saved saved;
  check(
      {{"x", x, dx}, {"residual", residual, dresidual}}, y, dy, *bound_,
      [&] { norm.forward(ctx_, {.x = x, .residual = residual, .dropout = dropout, .z = z}, y, saved); },
      [&] { norm.backward(ctx_, saved, {.dy = dy, .dz = dresidual, .dx = dx}); });
}

TEST_F(LayerGradientsTest, SelfAttentionWithDropoutOfTheWeights) {
  for (const bool causal : {false, true}) {
    const SelfAttention attention({.hidden_size = kWidth, .num_heads = 2, .causal = causal, .dropout = 0.3, .max_length = 6},
                                  scope_.child(causal ? "causal" : "plain"));
    bind();
    const Rows rows = make_rows_of_lengths(ctx_, kLengths);
    const Shape shape{8, kWidth};
    const Tensor x = normal(shape), dy = normal(shape), y = ctx_.empty(shape, kDouble), dx = ctx_.empty(shape, kDouble);
    SelfAttention::Saved saved;
    check(
        {{"x", x, dx}}, y, dy, *bound_, [&] { attention.forward(ctx_, x, rows, y, saved); },
        [&] { attention.backward(ctx_, dy, saved, dx); });
  }
}

TEST_F(LayerGradientsTest, CrossAttentionWithDropoutOfTheWeights) {
  const CrossAttention attention({.hidden_size = kWidth, .num_heads = 2, .dropout = 0.3, .max_length = 6}, scope_);
  bind();
  const Rows rows = make_rows_of_lengths(ctx_, kLengths), memory_rows = make_rows_of_lengths(ctx_, {2, 5, 1});
  const Shape shape{8, kWidth};
  const Tensor x = normal(shape), dy = normal(shape), y = ctx_.empty(shape, kDouble), dx = ctx_.empty(shape, kDouble);
  const Tensor memory = normal(shape), dmemory = ctx_.zeros(shape, kDouble);
  const Tensor keys_values = ctx_.empty({8, 2 * kWidth}, kDouble), dkeys_values = ctx_.empty({8, 2 * kWidth}, kDouble);
  CrossAttention::Saved saved;
  check(
      {{"x", x, dx}, {"memory", memory, dmemory}}, y, dy, *bound_,
      [&] {
        attention.project(ctx_, memory, keys_values);
        attention.forward(ctx_, x, rows, attention.keys(keys_values, memory_rows), y, saved);
      },
      [&] {
        attention.backward(ctx_, dy, saved, {.dx = dx, .dkeys_values = dkeys_values});
        attention.project_backward(ctx_, dkeys_values, memory, dmemory);
      });
}

TEST_F(LayerGradientsTest, FeedForwardWithDropout) {
  for (const FfnActivation activation : {FfnActivation::kRelu, FfnActivation::kGelu, FfnActivation::kGeluTanh}) {
    const FeedForward ffn({.hidden_size = kWidth, .ffn_size = 12, .activation = activation, .activation_dropout = 0.3},
                          scope_.child(std::to_string(static_cast<int>(activation))));
    bind();
    const Rows rows = make_rows_of_lengths(ctx_, kLengths);
    const Shape shape{8, kWidth};
    const Tensor x = normal(shape), dy = normal(shape), y = ctx_.empty(shape, kDouble), dx = ctx_.empty(shape, kDouble);
    FeedForward::Saved saved;
    // relu: steps so small that none of the 96 activations crosses 0; rounding then shows at 1e-10.
    const GradientCheckOptions options{.step = activation == FfnActivation::kRelu ? 1e-5 : 1e-3};
    check(
        {{"x", x, dx}}, y, dy, *bound_, [&] { ffn.forward(ctx_, x, rows, y, saved); }, [&] { ffn.backward(ctx_, dy, saved, dx); }, options);
  }
}

TEST_F(LayerGradientsTest, EmbeddingWithLearnedPositionsAndDropout) {
  Parameter& token = scope_.add("token.weight", {9, kWidth}, Init::normal(1));
  Parameter& position = scope_.add("position.weight", {6, kWidth}, Init::normal(1));
  const Embedding embedding({.scale = 3, .dropout = 0.3}, token, &position, scope_);
  bind();
  const Rows rows = make_rows(ctx_, {{4, 7, 4, 1}, {8}, {7, 7, 0}});
  const Tensor dy = normal({8, kWidth}), y = ctx_.empty({8, kWidth}, kDouble);
  Embedding::Saved saved;
  check(
      {}, y, dy, *bound_, [&] { embedding.forward(ctx_, rows, y, saved); }, [&] { embedding.backward(ctx_, dy, saved); });
}

TEST_F(LayerGradientsTest, AnInputGradientThatIsAddedToIsTheOverwrittenOnePlusWhatWasThere) {
  const FeedForward ffn({.hidden_size = kWidth, .ffn_size = 12, .activation = FfnActivation::kGelu}, scope_);
  bind();
  const Shape shape{8, kWidth};
  const Tensor x = normal(shape), dy = normal(shape), y = ctx_.empty(shape, kDouble), dx = ctx_.empty(shape, kDouble),
               added = normal(shape);
  std::vector<double> expected = to_doubles(added);
  FeedForward::Saved saved;
  ffn.forward(ctx_, x, {}, y, saved);
  ffn.backward(ctx_, dy, saved, dx);
  ffn.backward(ctx_, dy, saved, added, Write::kAdd);
  const std::vector<double> overwritten = to_doubles(dx);
  for (std::size_t i = 0; i < expected.size(); ++i) expected[i] += overwritten[i];
  EXPECT_LT(relative_error(to_doubles(added), expected), 1e-14);
}

TEST_F(LayerGradientsTest, AParameterThatIsNotTrainedIsSkipped) {
  const Linear linear({.in_features = 5, .outputs = {{"a", 3}}}, scope_);
  for (Parameter& parameter : set_.parameters()) parameter.trained = false;
  bind();
  const Tensor x = normal({6, 5}), dy = normal({6, 3}), dx = ctx_.empty({6, 5}, kDouble);
  linear.backward(ctx_, dy, x, dx);
  for (double value : to_doubles(dx)) EXPECT_FALSE(std::isnan(value));
  for (double value : to_doubles(bound_->flat_gradients())) EXPECT_EQ(value, 0);
}

}  // namespace
}  // namespace weft::test

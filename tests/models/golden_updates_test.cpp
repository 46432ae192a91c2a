// Ten updates on one batch, with the optimizer kernels alone: model and optimizer formulas together, before any run state exists.
#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "runtime/kernels/optimizer.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

class GoldenUpdatesTest : public testing::TestWithParam<std::tuple<std::string, Precision>> {
 protected:
  GoldenUpdatesTest()
      : file_("models/" + std::get<0>(GetParam())),
        precision_(std::get<1>(GetParam())),
        tested_(golden_config(file_), *precision_.table, precision_.dtype),
        exp_avg_(tested_.ctx.zeros({tested_.set.elements()}, sum_type(precision_.dtype))),
        exp_avg_sq_(tested_.ctx.zeros({tested_.set.elements()}, sum_type(precision_.dtype))),
        batch_(golden_batch(tested_.ctx, file_)) {
    tested_.bound.load(file_);
  }

  /// Returns the mean loss; gradients and their norm are those of it.
  double backward() {
    const double count = file_.ints("output.count")[0];
    tested_.ctx.step_state(StepState::kLossScale) = 1 / count;
    tested_.bound.zero_gradients();
    const double loss = tested_.forward_backward(batch_)[LossSums::kLoss] / count;
    kernels::sum_of_squares(tested_.ctx, {.x = tested_.bound.flat_gradients()});
    kernels::finish_norm(tested_.ctx, {.max_grad_norm = file_.config().at("train").at("max_grad_norm").as_double()});
    return loss;
  }

  /// fp32 and double: the values are their own masters.
  void update(double learning_rate) {
    const Json& train = file_.config().at("train");
    tested_.ctx.step_state(StepState::kLearningRate) = learning_rate;
    for (const Parameter& parameter : tested_.set.parameters()) {
      if (!parameter.saved) continue;
      const std::int64_t begin = parameter.offset, count = parameter.shape.elements();
      const Tensor value = tested_.bound.flat_values().rows(begin, count);
      kernels::adam_update(tested_.ctx, {.gradient = tested_.bound.flat_gradients().rows(begin, count),
                                         .master = value,
                                         .exp_avg = exp_avg_.rows(begin, count),
                                         .exp_avg_sq = exp_avg_sq_.rows(begin, count),
                                         .value = value,
                                         .beta1 = train.at("betas").as_array()[0].as_double(),
                                         .beta2 = train.at("betas").as_array()[1].as_double(),
                                         .eps = train.at("eps").as_double(),
                                         .weight_decay = parameter.decayed ? train.at("weight_decay").as_double() : 0,
                                         .decoupled = train.at("optimizer").as_string() == "adamw"});
    }
  }

  GoldenFile file_;
  Precision precision_;
  ModelUnderTest tested_;
  Tensor exp_avg_, exp_avg_sq_;
  Batch batch_;
};

TEST_P(GoldenUpdatesTest, LossesNormsAndFinalWeightsMatch) {
  const std::vector<double> losses = file_.doubles("output.train.loss"), norms = file_.doubles("output.train.grad_norm"),
                            rates = file_.doubles("output.train.learning_rate");
  if (precision_.dtype == DType::kBFloat16) {  // the first update only: rounded weights soon go their own way
    EXPECT_NEAR(backward(), losses[0], 3e-3 * losses[0]);
    EXPECT_NEAR(tested_.ctx.step_state(StepState::kGradNorm), norms[0], 5e-2 * norms[0]);
    return;
  }
  const bool is_double = precision_.dtype == DType::kFloat64;
  const double tolerance = is_double ? 1e-9 : 1e-4;
  ASSERT_EQ(losses.size(), 10u);
  for (std::size_t u = 0; u < losses.size(); ++u) {
    EXPECT_NEAR(backward(), losses[u], tolerance * losses[u]) << "update " << u + 1;
    EXPECT_NEAR(tested_.ctx.step_state(StepState::kGradNorm), norms[u], tolerance * norms[u]) << "update " << u + 1;
    update(rates[u]);
  }
  std::set<std::string> zero_gradients;  // Adam divides noise by noise there
  for (const Json& name : file_.config().at("zero_gradients").as_array()) zero_gradients.insert(name.as_string());
  for (const std::string& part : tested_.part_names()) {
    if (zero_gradients.contains(part) && !is_double) continue;
    const std::vector<double> found = tested_.bound.value(part), expected = file_.doubles("final." + part);
    double difference = 0;
    for (std::size_t i = 0; i < found.size(); ++i) difference = std::max(difference, std::abs(found[i] - expected[i]));
    EXPECT_LT(difference, zero_gradients.contains(part) ? 1e-8 : tolerance) << part;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenUpdatesTest,
                         testing::Combine(testing::Values("translation_post_norm", "translation_pre_norm", "translation_tied_decoder"),
                                          testing::ValuesIn(all_precisions())),
                         [](const auto& param) { return std::get<0>(param.param) + "_" + std::get<1>(param.param).name; });

}  // namespace
}  // namespace weft::test

#include <algorithm>
#include <cmath>
#include <set>

#include <gtest/gtest.h>

#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

/// tests/golden/README.md, "models".
struct Tolerances {
  double logits, loss, gradients;
};
Tolerances tolerances(DType dtype) {
  if (dtype == DType::kFloat64) return {1e-10, 1e-10, 1e-10};
  if (dtype == DType::kFloat32) return {1e-5, 1e-5, 1e-5};
  return {3e-2, 3e-3, 8e-2};
}

class GoldenModelsTest : public testing::TestWithParam<std::tuple<std::string, Precision>> {
 protected:
  GoldenModelsTest()
      : file_("models/" + std::get<0>(GetParam())),
        precision_(std::get<1>(GetParam())),
        tolerances_(tolerances(precision_.dtype)),
        tested_(golden_config(file_), *precision_.table, precision_.dtype) {
    tested_.bound.load(file_);
  }

  std::vector<std::string> zero_gradients() const {
    std::vector<std::string> names;
    for (const Json& name : file_.config().at("zero_gradients").as_array()) names.push_back(name.as_string());
    return names;
  }

  GoldenFile file_;
  Precision precision_;
  Tolerances tolerances_;
  ModelUnderTest tested_;
};

TEST_P(GoldenModelsTest, HasTheParametersOfTheFileAndDecaysTheSame) {
  std::set<std::string> expected, decayed, found, found_decayed;
  for (const std::string& name : file_.names("grad.")) expected.insert(name.substr(std::string("grad.").size()));
  for (const Json& name : file_.config().at("decayed").as_array()) decayed.insert(name.as_string());
  for (const Parameter& parameter : tested_.set.parameters()) {
    if (!parameter.saved) continue;
    for (const Part& part : parameter.parts) {
      found.insert(part.name);
      EXPECT_EQ(part.shape, file_.shape(part.name)) << part.name;
      if (parameter.decayed) found_decayed.insert(part.name);
    }
  }
  EXPECT_EQ(found, expected);
  if (decayed.empty()) return;  // the files without weight decay list none
  EXPECT_EQ(found_decayed, decayed);
}

TEST_P(GoldenModelsTest, LossAndGradientsMatch) {
  const Batch batch = golden_batch(tested_.ctx, file_);
  const std::vector<double> sums = tested_.forward_backward(batch);
  const double loss = file_.doubles("output.loss")[0];
  EXPECT_NEAR(sums[LossSums::kLoss], loss, tolerances_.loss * loss);
  EXPECT_EQ(sums[LossSums::kCount], file_.ints("output.count")[0]);

  double largest = 0;
  for (const std::string& name : file_.names("grad.")) {
    for (double value : file_.doubles(name)) largest = std::max(largest, std::abs(value));
  }
  for (const std::string& part : tested_.part_names()) {
    const std::vector<double> found = tested_.bound.gradient(part), expected = file_.doubles("grad." + part);
    ASSERT_EQ(found.size(), expected.size()) << part;
    double difference = 0;
    for (std::size_t i = 0; i < found.size(); ++i) difference = std::max(difference, std::abs(found[i] - expected[i]));
    EXPECT_LT(difference, tolerances_.gradients * largest) << part;
  }
  if (precision_.dtype != DType::kFloat64) return;
  for (const std::string& part : zero_gradients()) {
    for (double value : tested_.bound.gradient(part)) EXPECT_LT(std::abs(value), 1e-12) << part;
  }
}

TEST_P(GoldenModelsTest, LossOnlyMatches) {
  const std::vector<double> sums = tested_.forward(golden_batch(tested_.ctx, file_));
  const double loss = file_.doubles("output.loss")[0];
  EXPECT_NEAR(sums[LossSums::kLoss], loss, tolerances_.loss * loss);
}

/// Each target is fed token by token; a sequence that has ended leaves through `reorder`.
TEST_P(GoldenModelsTest, LogitsReadThroughTheGeneratorMatch) {
  const Sequences targets = file_.sequences("input.target.");
  const std::vector<std::int32_t> offsets = file_.ints("input.target.offsets");
  const Rows source = make_rows(tested_.ctx, file_.sequences("input.source."));
  const auto vocab = static_cast<std::size_t>(tested_.model->vocab_size());
  std::vector<double> logits(file_.shape("output.logits")[0] * vocab, std::nan(""));
  std::vector<std::size_t> live(targets.size());
  for (std::size_t b = 0; b < live.size(); ++b) live[b] = b;
  const auto state = tested_.model->start(tested_.ctx, source, 1, 10);
  for (std::size_t t = 0; !live.empty(); ++t) {
    std::vector<std::int32_t> tokens, parents;
    std::vector<std::size_t> survivors;
    for (std::size_t i = 0; i < live.size(); ++i) {
      if (targets[live[i]].size() <= t) continue;
      tokens.push_back(targets[live[i]][t]);
      parents.push_back(static_cast<std::int32_t>(i));
      survivors.push_back(live[i]);
    }
    if (survivors.size() < live.size()) tested_.model->reorder(tested_.ctx, *state, tested_.ctx.ints(parents));
    live = survivors;
    if (live.empty()) break;
    const Tensor out = tested_.ctx.empty({static_cast<std::int64_t>(live.size()), tested_.model->vocab_size()}, sum_type(tested_.dtype));
    tested_.model->step(tested_.ctx, *state, tested_.ctx.ints(tokens), out);
    const std::vector<double> values = to_doubles(out);
    for (std::size_t i = 0; i < live.size(); ++i) {
      const auto row = static_cast<std::size_t>(offsets[live[i]]) + t;
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(i * vocab), vocab,
                  logits.begin() + static_cast<std::ptrdiff_t>(row * vocab));
    }
  }
  EXPECT_LT(relative_error(logits, file_.doubles("output.logits")), tolerances_.logits);
}

INSTANTIATE_TEST_SUITE_P(Models, GoldenModelsTest,
                         testing::Combine(testing::Values("translation_post_norm", "translation_pre_norm", "translation_tied_decoder"),
                                          testing::ValuesIn(all_precisions())),
                         [](const auto& param) { return std::get<0>(param.param) + "_" + std::get<1>(param.param).name; });

}  // namespace
}  // namespace weft::test

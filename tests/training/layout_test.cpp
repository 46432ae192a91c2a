// Layouts as threads: one update from equal weights gives the same loss and gradients on any number of data-parallel and tensor-parallel
// ranks.
#include <omp.h>

#include <cmath>
#include <map>
#include <span>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "parallel/threads/thread_communicator.h"
#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "state/boxes.h"
#include "tests/data/test_dataset.h"
#include "training/layout_difference.h"
#include "training/layout_run.h"

namespace weft {
namespace {

constexpr std::int64_t kArenaBytes = 32 << 20, kVocabulary = 3000;
constexpr double kRate = 1e-3;

/// Of several buckets of 1 MB; the embeddings alone are longer than one.
ModelConfig model_config(std::int64_t vocabulary, NormPosition norm) {
  ModelConfig model;
  model.encoder = model.decoder = {.num_layers = 2, .num_heads = 4, .ffn_size = 256};
  model.hidden_size = 96;
  model.activation = FfnActivation::kGelu;  // relu's derivative jumps at 0, where rounding would decide some gradients
  model.max_length = 64;
  model.dropout = model.attention_dropout = model.activation_dropout = 0.2;
  model.label_smoothing = 0.1;
  model.norm_position = norm;
  model.source_vocab_size = model.target_vocab_size = vocabulary;
  return model;
}

/// Whole tensors by name, row by row. What a rank does not hold is NaN.
using Tensors = std::map<std::string, std::vector<double>>;

/// What one update gave.
struct Outcome {
  double loss = 0;
  double grad_norm = 0;  // over all parameters of all ranks
  Tensors gradients;     // sums over all ranks
  Tensors weights;       // after the update
};

Tensors by_name(const std::vector<HeldTensor>& held) {
  Tensors result;
  for (const HeldTensor& tensor : held) {
    const std::vector<double> numbers(tensor.numbers.begin(), tensor.numbers.end());
    std::vector<double>& whole = result[tensor.name];
    whole.assign(static_cast<std::size_t>(tensor.shape.elements()), std::nan(""));
    copy_overlap({.from = tensor.box,
                  .first = 0,
                  .run = std::as_bytes(std::span(numbers)),
                  .to = whole_box(tensor.shape),
                  .out = std::as_writable_bytes(std::span(whole)),
                  .element_bytes = sizeof(double)});
  }
  return result;
}

/// Puts together what the ranks hold; what several hold has the same bits on each.
void merge(Tensors& all, const Tensors& of_rank, const char* what) {
  for (const auto& [name, numbers] : of_rank) {
    std::vector<double>& whole = all.emplace(name, numbers).first->second;
    std::size_t differ = 0;
    for (std::size_t i = 0; i < numbers.size(); ++i) {
      if (std::isnan(whole[i])) whole[i] = numbers[i];
      differ += !std::isnan(numbers[i]) && whole[i] != numbers[i];
    }
    EXPECT_EQ(differ, 0u) << "ranks hold different " << what << " of " << name;
  }
}

/// One rank's part of the first update: passes of at most `micro_batch_rows`.
Outcome one_update(Mesh& mesh, const Dataset& data, const ParallelConfig& parallel, std::int64_t micro_batch_rows, std::int64_t vocabulary,
                   NormPosition norm) {
  omp_set_num_threads(1);
  CpuDevice device(cpu_kernels(instruction_set()));
  const LayoutRunConfig config{.seed = 5,
                               .model = model_config(vocabulary, norm),
                               .training = {.schedule = {.learning_rate = kRate, .kind = LrScheduler::kConstant, .warmup_steps = 0}},
                               .parallel = parallel,
                               .sampling = {.seed = 3, .batch_size = 600, .bucket_size = 200},
                               .micro_batch_rows = micro_batch_rows,
                               .arena_bytes = kArenaBytes};
  const LayoutRun run = run_layout(mesh, device, config, data);
  return {
      .loss = run.steps[0].loss, .grad_norm = run.steps[0].grad_norm, .gradients = by_name(run.gradients), .weights = by_name(run.weights)};
}

Outcome run(const Dataset& data, Grid grid, int zero_stage, std::int64_t micro_batch_rows, std::int64_t vocabulary = kVocabulary,
            NormPosition norm = NormPosition::kPre) {
  const int ranks = grid.data * grid.tensor;
  std::vector<Outcome> of_ranks(static_cast<std::size_t>(ranks));
  const ParallelConfig parallel{.tensor = grid.tensor, .zero_stage = zero_stage, .bucket_mb = 1};
  run_ranks(ranks, parallel, [&](Mesh& mesh) {
    of_ranks[static_cast<std::size_t>(mesh.control->rank())] = one_update(mesh, data, parallel, micro_batch_rows, vocabulary, norm);
  });
  Outcome all{.loss = of_ranks.front().loss, .grad_norm = of_ranks.front().grad_norm};
  for (const Outcome& outcome : of_ranks) {
    EXPECT_EQ(outcome.loss, all.loss);
    EXPECT_EQ(outcome.grad_norm, all.grad_norm);
    merge(all.gradients, outcome.gradients, "gradients");
    merge(all.weights, outcome.weights, "weights");
  }
  return all;
}

double norm(const std::vector<double>& x) {
  double sum = 0;
  for (const double v : x) sum += v * v;
  return std::sqrt(sum);
}

/// A gradient that is zero but for rounding is judged by the size of the others, and Adam makes a full step of it in any direction.
void expect_same_update(const Outcome& found, const Outcome& expected) {
  EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
  EXPECT_NEAR(found.grad_norm, expected.grad_norm, 1e-5 * expected.grad_norm);
  double largest = 0;
  for (const auto& [name, gradient] : expected.gradients) largest = std::max(largest, norm(gradient));
  for (const auto& [name, gradient] : expected.gradients) {
    std::vector<double> difference = found.gradients.at(name);
    double worst = 0;
    for (std::size_t i = 0; i < difference.size(); ++i) {
      difference[i] -= gradient[i];
      if (std::abs(gradient[i]) < 1e-5 * largest) continue;
      worst = std::max(worst, std::abs(found.weights.at(name)[i] - expected.weights.at(name)[i]));
    }
    EXPECT_LT(norm(difference), 1e-5 * std::max(norm(gradient), 1e-3 * largest)) << name;
    EXPECT_LT(worst, 1e-2 * kRate) << name;
  }
}

struct Layout {
  Grid grid;
  std::int64_t micro_batch_rows;
};

class LayoutTest : public testing::TestWithParam<Layout> {
 protected:
  test::TestDataset data_{test::text_lengths(200, 5)};
};

TEST_P(LayoutTest, OneUpdateIsThatOfOneRank) {
  const Outcome expected = run(*data_, {1, 1}, 0, 600);
  for (const int zero_stage : {0, 1, 2}) {
    SCOPED_TRACE(zero_stage);
    expect_same_update(run(*data_, GetParam().grid, zero_stage, GetParam().micro_batch_rows), expected);
  }
}

TEST_P(LayoutTest, StageOneEndsWithTheBitsOfStageZero) {
  const Outcome sharded = run(*data_, GetParam().grid, 1, GetParam().micro_batch_rows);
  const Outcome replicated = run(*data_, GetParam().grid, 0, GetParam().micro_batch_rows);
  EXPECT_EQ(sharded.weights, replicated.weights);
  // Weights alone would not show a norm of one rank's share as long as nothing is clipped.
  EXPECT_NEAR(sharded.grad_norm, replicated.grad_norm, 1e-12 * replicated.grad_norm);
}

TEST_P(LayoutTest, StageTwoEndsWithTheBitsOfStageOneWhenAnUpdateIsOnePass) {
  EXPECT_EQ(run(*data_, GetParam().grid, 2, 600).weights, run(*data_, GetParam().grid, 1, 600).weights);
}

TEST_P(LayoutTest, TheSameLayoutGivesTheSameBits) {
  for (const int zero_stage : {1, 2}) {
    const Outcome first = run(*data_, GetParam().grid, zero_stage, GetParam().micro_batch_rows);
    EXPECT_EQ(run(*data_, GetParam().grid, zero_stage, GetParam().micro_batch_rows).weights, first.weights);
  }
}

INSTANTIATE_TEST_SUITE_P(Ranks, LayoutTest,
                         testing::Values(Layout{{1, 1}, 150}, Layout{{2, 1}, 600}, Layout{{2, 1}, 100}, Layout{{3, 1}, 600},
                                         Layout{{4, 1}, 90}, Layout{{8, 1}, 600}, Layout{{1, 2}, 600}, Layout{{1, 4}, 100},
                                         Layout{{2, 2}, 150}, Layout{{3, 2}, 600}),
                         [](const auto& layout) {
                           const Layout& one = layout.param;
                           return fmt::format("data{}tensor{}rows{}", one.grid.data, one.grid.tensor, one.micro_batch_rows);
                         });

/// Runs of two tensors, one of which two ranks share.
struct Compared {
  LayoutRun whole{.steps = {{2, 5}}, .gradients = {held("a", {4}, {{0}, {4}}, {3, 0, 0, 4}), held("zero", {1}, {{0}, {1}}, {1e-9f})}};
  std::vector<LayoutRun> ranks{{.steps = {{2, 5}}, .gradients = {held("a", {4}, {{0}, {2}}, {3, 0}), whole.gradients[1]}},
                               {.steps = {{2, 5}}, .gradients = {held("a", {4}, {{2}, {2}}, {0, 4}), whole.gradients[1]}}};

  static HeldTensor held(const char* name, Shape shape, Box box, std::vector<float> numbers) {
    return {.name = name, .shape = shape, .box = box, .numbers = std::move(numbers)};
  }
  bool pass() const { return difference(ranks, whole).within(layout_tolerance(DType::kFloat32)); }
};

TEST(LayoutDifferenceTest, NamesTheTensorThatDiffersMost) {
  Compared equal;
  EXPECT_TRUE(equal.pass());
  Compared other;
  other.ranks[1].gradients[0].numbers[1] = 4.5;
  EXPECT_FALSE(other.pass());
  EXPECT_EQ(difference(other.ranks, other.whole).tensor, "a");
  EXPECT_NEAR(difference(other.ranks, other.whole).gradient, 0.1, 1e-12);
}

TEST(LayoutDifferenceTest, JudgesAGradientOfRoundingByTheSizeOfTheOthers) {
  Compared rounding;
  rounding.ranks[0].gradients[1].numbers[0] = -1e-9f;
  EXPECT_TRUE(rounding.pass());
  rounding.ranks[0].gradients[1].numbers[0] = 1e-3f;
  EXPECT_FALSE(rounding.pass());
}

TEST(LayoutDifferenceTest, LossNormAndWhatIsNotANumberFail) {
  Compared loss, norm_twice, not_a_number;
  loss.ranks[1].steps[0].loss = 2.001;
  norm_twice.ranks[0].steps[0].grad_norm = 5 * std::sqrt(2.0);
  not_a_number.ranks[0].gradients[0].numbers[0] = std::nanf("");
  EXPECT_FALSE(loss.pass());
  EXPECT_FALSE(norm_twice.pass());
  EXPECT_FALSE(not_a_number.pass());
}

TEST(LayoutEdgeTest, ARankMayHoldNothingOfTheVocabulary) {
  const test::TestDataset data(test::text_lengths(200, 5));
  constexpr std::int64_t kSmall = 100;  // of 4 ranks two hold 64 and 36 of them
  const Outcome expected = run(*data, {1, 1}, 0, 600, kSmall);
  for (const int zero_stage : {0, 1, 2}) {
    SCOPED_TRACE(zero_stage);
    expect_same_update(run(*data, {2, 4}, zero_stage, 600, kSmall), expected);
  }
}

/// What a sub-layer reads is the residual stream too: its gradient joins the stream's, which all ranks have, once.
TEST(LayoutEdgeTest, PostNormAddsTheStreamOnce) {
  const test::TestDataset data(test::text_lengths(200, 5));
  expect_same_update(run(*data, {2, 2}, 1, 600, kVocabulary, NormPosition::kPost),
                     run(*data, {1, 1}, 0, 600, kVocabulary, NormPosition::kPost));
}

TEST(LayoutEdgeTest, MoreRanksThanSentencesTrainOnEmptyShares) {
  const test::TestDataset data(test::text_lengths(5, 5));
  const Outcome expected = run(*data, {1, 1}, 1, 600), found = run(*data, {8, 1}, 1, 600);
  EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
}

}  // namespace
}  // namespace weft

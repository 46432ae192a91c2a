// Layouts as threads: one update from equal weights gives the same loss and gradients on any number of data-parallel and tensor-parallel
// ranks.
#include <omp.h>

#include <cmath>
#include <cstring>
#include <map>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "data/batch_builder.h"
#include "data/batch_sampler.h"
#include "models/transformer.h"
#include "parallel/threads/thread_communicator.h"
#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/step_state.h"
#include "state/boxes.h"
#include "state/gradient_reducer.h"
#include "state/optimizer_shards.h"
#include "tests/data/test_dataset.h"
#include "tests/support/test_context.h"

namespace weft {
namespace {

constexpr std::int64_t kArenaBytes = 32 << 20, kVocabulary = 3000;
constexpr double kRate = 1e-3;

/// Of several buckets of 1 MB; the embeddings alone are longer than one.
ModelConfig model_config(std::int64_t vocabulary) {
  ModelConfig model;
  model.encoder = model.decoder = {.num_layers = 2, .num_heads = 4, .ffn_size = 256};
  model.hidden_size = 96;
  model.max_length = 64;
  model.dropout = model.attention_dropout = model.activation_dropout = 0.2;
  model.label_smoothing = 0.1;
  model.norm_position = NormPosition::kPre;
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

Tensors by_name(const ParameterSet& set, Tensor flat) {
  Tensors result;
  for (const FlatPart& held : flat_parts(set)) {
    const Part& part = *held.part;
    const std::vector<double> numbers = test::to_doubles(flat.rows(held.range.begin, held.range.end - held.range.begin));
    std::vector<double>& whole = result[part.name];
    whole.assign(static_cast<std::size_t>(part.shape.elements()), std::nan(""));
    copy_overlap({.from = part.box,
                  .first = 0,
                  .run = std::as_bytes(std::span(numbers)),
                  .to = whole_box(part.shape),
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

/// The slices of all ranks, each where it belongs in (elements).
Tensor whole_gradient(Mesh& mesh, Stream& stream, const ParameterStorage& storage, std::span<const Slice> slices,
                      std::vector<float>& memory) {
  memory.assign(static_cast<std::size_t>(storage.parameters().elements()), 0);
  const Tensor whole(memory.data(), {storage.parameters().elements()}, DType::kFloat32);
  for (const Slice& slice : slices) {
    const std::span<const float> from = slice.gradient.span<float>();
    std::copy(from.begin(), from.end(), memory.begin() + slice.range.begin);
  }
  if (storage.layout().sharded()) mesh.dp->all_reduce(stream, whole);
  return whole;
}

/// One rank's part of the first update: passes of at most `micro_batch_rows`.
Outcome one_update(Mesh& mesh, const Dataset& data, const ParallelConfig& parallel, std::int64_t micro_batch_rows,
                   std::int64_t vocabulary) {
  omp_set_num_threads(1);
  CpuDevice device(cpu_kernels(instruction_set()));
  ParameterSet parameters(5, mesh.dp->size());
  const std::unique_ptr<TranslationModel> model = make_transformer(model_config(vocabulary), parameters, TensorParallel(*mesh.tp));
  ParameterStorage storage(parameters, *mesh.dp, device, DType::kFloat32, ShardLayout(parameters, *mesh.dp, parallel, 4),
                           StorageUse::kTraining);
  OptimizerShards optimizer({}, storage, mesh, device);
  GradientReducer reducer(storage, *mesh.dp);
  const Memory arena_memory = device.allocate(kArenaBytes, MemoryKind::kDevice);
  StepArena arena(arena_memory.data(), kArenaBytes);
  arena.poison_released();
  std::vector<double> state(StepState::kFields), sums(LossSums::kFields);
  Context ctx{device, device.stream(StreamKind::kCompute), arena, Tensor(state.data(), {StepState::kFields}, DType::kFloat64), true};
  storage.initialize(ctx);
  optimizer.initialize(ctx);

  BatchSampler sampler(data, {.seed = 3, .batch_size = 600, .bucket_size = 200});
  const Update update = sampler.update({});
  state[StepState::kStep] = 1;
  state[StepState::kLearningRate] = kRate;
  state[StepState::kLossScale] = 1.0 / static_cast<double>(update.loss_tokens);
  const std::vector<BatchPart> parts = share(update, mesh.dp->rank(), mesh.dp->size(), micro_batch_rows);
  reducer.begin_update(static_cast<int>(parts.size()));
  const Tensor total(sums.data(), {LossSums::kFields}, DType::kFloat64);
  for (const BatchPart& part : parts) {
    const Memory host = device.allocate(batch_bytes(extent_of(part)), MemoryKind::kPinnedHost);
    model->forward_backward(ctx, build_batch(data, part, host), reducer, total);
  }
  reducer.finish(ctx);
  mesh.dp->all_reduce(ctx.stream, total);
  Outcome outcome{.loss = sums[LossSums::kLoss] / sums[LossSums::kCount]};
  EXPECT_EQ(std::llround(sums[LossSums::kCount]), update.loss_tokens);
  std::vector<float> memory;
  outcome.gradients = by_name(parameters, whole_gradient(mesh, ctx.stream, storage, reducer.slices(), memory));
  optimizer.update(ctx, reducer.slices());
  outcome.grad_norm = state[StepState::kGradNorm];
  outcome.weights = by_name(parameters, storage.values());
  return outcome;
}

Outcome run(const Dataset& data, Grid grid, int zero_stage, std::int64_t micro_batch_rows, std::int64_t vocabulary = kVocabulary) {
  const int ranks = grid.data * grid.tensor;
  std::vector<Outcome> of_ranks(static_cast<std::size_t>(ranks));
  const ParallelConfig parallel{.tensor = grid.tensor, .zero_stage = zero_stage, .bucket_mb = 1};
  run_ranks(ranks, parallel, [&](Mesh& mesh) {
    of_ranks[static_cast<std::size_t>(mesh.control->rank())] = one_update(mesh, data, parallel, micro_batch_rows, vocabulary);
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

TEST(LayoutEdgeTest, ARankMayHoldNothingOfTheVocabulary) {
  const test::TestDataset data(test::text_lengths(200, 5));
  constexpr std::int64_t kSmall = 100;  // of 4 ranks two hold 64 and 36 of them
  const Outcome expected = run(*data, {1, 1}, 0, 600, kSmall);
  for (const int zero_stage : {0, 1, 2}) {
    SCOPED_TRACE(zero_stage);
    expect_same_update(run(*data, {2, 4}, zero_stage, 600, kSmall), expected);
  }
}

TEST(LayoutEdgeTest, MoreRanksThanSentencesTrainOnEmptyShares) {
  const test::TestDataset data(test::text_lengths(5, 5));
  const Outcome expected = run(*data, {1, 1}, 1, 600), found = run(*data, {8, 1}, 1, 600);
  EXPECT_NEAR(found.loss, expected.loss, 1e-5 * expected.loss);
}

}  // namespace
}  // namespace weft

#include "state/optimizer_shards.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>
#include <memory>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "layers/tensor_parallel.h"
#include "parallel/threads/thread_communicator.h"
#include "state/gradient_reducer.h"
#include "tests/support/golden.h"
#include "tests/support/test_context.h"

namespace weft {
namespace {

using test::GoldenFile;
using test::TestContext;

bool contains(const Json& names, const std::string& name) {
  const Json::Array& array = names.as_array();
  return std::any_of(array.begin(), array.end(), [&](const Json& one) { return one.as_string() == name; });
}

OptimizerConfig optimizer_config(const Json& json) {
  OptimizerConfig config;
  const std::string kind = json.at("optimizer").as_string();
  config.kind = kind == "sgd" ? OptimizerKind::kSgd : kind == "adamw" ? OptimizerKind::kAdamW : OptimizerKind::kAdam;
  if (config.kind == OptimizerKind::kSgd) {
    config.momentum = json.at("momentum").as_double();
    config.nesterov = json.at("nesterov").as_bool();
  } else {
    config.adam_beta1 = json.at("betas").as_array().at(0).as_double();
    config.adam_beta2 = json.at("betas").as_array().at(1).as_double();
    config.adam_eps = json.at("eps").as_double();
  }
  config.weight_decay = json.at("weight_decay").as_double();
  config.max_grad_norm = json.at("max_grad_norm").as_double();
  return config;
}

void set(Tensor to, const std::vector<double>& from, std::size_t first = 0) {
  for (std::size_t i = 0; i < static_cast<std::size_t>(to.elements()); ++i) {
    if (to.dtype == DType::kFloat64) {
      to.span<double>()[i] = from[first + i];
    } else {
      to.span<float>()[i] = static_cast<float>(from[first + i]);
    }
  }
}

void set_all(Tensor to, double value) {
  set(to, std::vector<double>(static_cast<std::size_t>(to.elements()), value));
}

const std::vector<std::string> kNames{"weight", "bias", "embedding", "scale"};

class OptimizerRun {
 public:
  OptimizerRun(const GoldenFile& golden, DType dtype) : golden_(golden) {
    for (const std::string& name : kNames) {
      ParameterScope(set_, "", 0).add(name, golden.shape(name), Init::zeros(), contains(golden.config().at("decayed"), name));
    }
    set_.lay_out();
    storage_ = std::make_unique<ParameterStorage>(set_, *mesh_.dp, ctx_.context().device, dtype);
    storage_->initialize(ctx_);
    for (std::size_t i = 0; i < kNames.size(); ++i) set(master(i), golden.doubles(kNames[i]));
    storage_->make_values(ctx_);
    shards_ = std::make_unique<OptimizerShards>(optimizer_config(golden.config()), *storage_, mesh_, ctx_.context().device);
    shards_->initialize(ctx_);
  }
  Tensor master(std::size_t i) {
    const Parameter& parameter = set_.parameters()[i];
    return storage_->masters({0, storage_->parameters().elements()}).rows(parameter.offset, parameter.shape.elements());
  }
  void step(std::size_t number) {
    for (std::size_t i = 0; i < kNames.size(); ++i) {
      const auto count = static_cast<std::size_t>(master(i).elements());
      set(set_.parameters()[i].grad.view({master(i).elements()}), golden_.doubles("input.grad." + kNames[i]), number * count);
    }
    ctx_.step_state(StepState::kLearningRate) = golden_.doubles("output.learning_rate")[number];
    const Slice slice{{0, set_.elements()}, storage_->gradients().working()};
    shards_->update(ctx_, std::span(&slice, 1));
  }
  double error_of(std::size_t i, std::size_t number) {
    std::vector<double> expected = golden_.doubles("output." + kNames[i]);
    const auto count = static_cast<std::size_t>(master(i).elements());
    expected = {expected.begin() + static_cast<std::ptrdiff_t>(number * count),
                expected.begin() + static_cast<std::ptrdiff_t>((number + 1) * count)};
    return test::relative_error(test::to_doubles(master(i)), expected);
  }
  double grad_norm() { return ctx_.step_state(StepState::kGradNorm); }
  TestContext& context() { return ctx_; }

 private:
  const GoldenFile& golden_;
  TestContext ctx_;
  Mesh mesh_ = make_single_mesh();
  ParameterSet set_{1};
  std::unique_ptr<ParameterStorage> storage_;
  std::unique_ptr<OptimizerShards> shards_;
};

class GoldenOptimizerTest : public testing::TestWithParam<std::string> {};

// Tolerances from tests/golden/README.md: 1e-12 in double, 1e-6 in float32; bfloat16 has float32 masters.
TEST_P(GoldenOptimizerTest, TenUpdatesGiveTheGoldenWeights) {
  const GoldenFile golden("optim/" + GetParam());
  for (const auto& [dtype, tolerance] : {std::pair{DType::kFloat64, 1e-12}, {DType::kFloat32, 1e-6}, {DType::kBFloat16, 1e-6}}) {
    OptimizerRun run(golden, dtype);
    for (std::size_t number = 0; number < 10; ++number) {
      run.step(number);
      for (std::size_t i = 0; i < kNames.size(); ++i) {
        ASSERT_LT(run.error_of(i, number), tolerance) << name(dtype) << " " << kNames[i] << ", update " << number + 1;
      }
      ASSERT_NEAR(run.grad_norm() / golden.doubles("output.grad_norm")[number], 1, tolerance);
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Cases, GoldenOptimizerTest,
                         testing::Values("adam", "adam_l2", "adam_large_eps", "adam_transformer", "adamw", "adamw_clipped",
                                         "adamw_matrices", "sgd", "sgd_momentum", "sgd_momentum_clipped", "sgd_nesterov"),
                         [](const auto& one) { return one.param; });

/// A small optimizer on weights of a known seed: one trained matrix, one frozen, one bias.
class OptimizerShardsTest : public testing::Test {
 protected:
  void build(DType dtype, OptimizerConfig config) {
    parameters_ = std::make_unique<ParameterSet>(7);
    ParameterScope scope(*parameters_, "m", 0);
    scope.add("weight", {5, 7}, Init::xavier_uniform(), true);
    scope.add("frozen", {3, 3}, Init::normal(1)).trained = false;
    scope.add("bias", {7}, Init::ones());
    scope.add_constant("positions", {4, 6}, Init::sinusoidal());
    parameters_->lay_out();
    storage_ = std::make_unique<ParameterStorage>(*parameters_, *mesh_.dp, ctx_.context().device, dtype);
    storage_->initialize(ctx_);
    shards_ = std::make_unique<OptimizerShards>(config, *storage_, mesh_, ctx_.context().device);
    shards_->initialize(ctx_);
    ctx_.step_state(StepState::kLearningRate) = 0.01;
  }
  void update(double gradient) {
    for (Parameter& parameter : parameters_->parameters()) {
      if (!parameter.trained) continue;
      set_all(parameter.grad.view({parameter.shape.elements()}), gradient);
    }
    const Slice slice{{0, parameters_->elements()}, storage_->gradients().working()};
    shards_->update(ctx_, std::span(&slice, 1));
  }
  std::vector<double> masters() { return test::to_doubles(storage_->masters({0, storage_->parameters().elements()})); }

  TestContext ctx_;
  Mesh mesh_ = make_single_mesh();
  std::unique_ptr<ParameterSet> parameters_;
  std::unique_ptr<ParameterStorage> storage_;
  std::unique_ptr<OptimizerShards> shards_;
};

TEST_F(OptimizerShardsTest, NonFiniteGradientsChangeNothingButTheCounts) {
  for (const double poison : {std::numeric_limits<double>::quiet_NaN(), std::numeric_limits<double>::infinity()}) {
    build(DType::kBFloat16, {.ema_decay = 0.9});
    update(0.5);
    const std::vector<double> before = masters(), values = test::to_doubles(storage_->values());
    std::vector<std::vector<double>> moments;
    for (const Moment& moment : shards_->moments()) moments.push_back(test::to_doubles(moment.flat));
    const double count = ctx_.step_state(StepState::kAdamCount);

    update(poison);
    EXPECT_EQ(masters(), before);
    EXPECT_EQ(test::to_doubles(storage_->values()), values);
    for (std::size_t i = 0; i < moments.size(); ++i) EXPECT_EQ(test::to_doubles(shards_->moments()[i].flat), moments[i]);
    EXPECT_EQ(ctx_.step_state(StepState::kAdamCount), count);
    EXPECT_EQ(ctx_.step_state(StepState::kFinite), 0);
    EXPECT_EQ(ctx_.step_state(StepState::kNonFiniteRow), 1);

    update(0.5);
    EXPECT_NE(masters(), before);
    EXPECT_EQ(ctx_.step_state(StepState::kNonFiniteRow), 0);
  }
}

TEST_F(OptimizerShardsTest, FrozenParametersAndConstantsStay) {
  build(DType::kBFloat16, {.weight_decay = 0.1, .ema_decay = 0.5});
  const Parameter& frozen = parameters_->parameters()[1];
  const std::vector<double> weights = test::to_doubles(frozen.value), constants = test::to_doubles(parameters_->parameters()[3].value);
  const double norm_of_trained = std::sqrt(0.25 * (35 + 7));
  for (int step = 0; step < 3; ++step) update(0.5);
  EXPECT_EQ(test::to_doubles(frozen.value), weights);
  EXPECT_EQ(test::to_doubles(parameters_->parameters()[3].value), constants);
  EXPECT_NEAR(ctx_.step_state(StepState::kGradNorm), norm_of_trained, 1e-6);
}

constexpr double kGridRate = 0.01;

/// One update on each rank of a grid, of a cut matrix, a cut bias, a norm that every tensor-parallel rank holds whole, and a table so small
/// that the first of them has all of it. `poison`: the gradient of the last rank's piece of the matrix is not finite.
void update_on_grid(Grid grid, int zero_stage, bool poison, const std::function<void(TestContext&, const ParameterSet&)>& check) {
  const ParallelConfig parallel{.data = grid.data, .tensor = grid.tensor, .zero_stage = zero_stage, .bucket_mb = 1};
  run_ranks(grid.data * grid.tensor, parallel, [&](Mesh& mesh) {
    TestContext ctx;
    ParameterSet set(1, mesh.dp->size());
    const Cut cut = TensorParallel(*mesh.tp).cut(0);
    const ParameterScope scope(set, "m", 0);
    const Parameter& table = scope.add("table", {3, 8}, Init::zeros(), false, TensorParallel(*mesh.tp).cut(0, 64));
    const Parameter& weight = scope.add("weight", {8, 96}, Init::zeros(), true, cut);
    const Parameter& norm = scope.add("norm", {7}, Init::zeros());
    const Parameter& bias = scope.add("bias", {8}, Init::zeros(), false, cut);
    set.lay_out();
    ParameterStorage storage(set, *mesh.dp, ctx.context().device, DType::kFloat32, ShardLayout(set, *mesh.dp, parallel, 4),
                             StorageUse::kTraining);
    storage.initialize(ctx);
    OptimizerShards shards({.max_grad_norm = 1}, storage, mesh, ctx.context().device);
    shards.initialize(ctx);
    for (const auto& [parameter, gradient] : {std::pair(&weight, 0.5), {&norm, 3.0}, {&bias, -1.0}, {&table, 2.0}}) {
      set_all(parameter->grad.view({parameter->shape.elements()}), gradient);
    }
    if (poison && mesh.tp->rank() == grid.tensor - 1) set_all(weight.grad.view({weight.shape.elements()}), std::nan(""));
    ctx.step_state(StepState::kLearningRate) = kGridRate;
    shards.update(ctx, GradientReducer(storage, *mesh.dp).slices());
    check(ctx, set);
  });
}

class OptimizerOnGridTest : public testing::TestWithParam<Grid> {};

TEST_P(OptimizerOnGridTest, TheNormCountsEveryElementOnce) {
  for (const int zero_stage : {0, 1}) {
    update_on_grid(GetParam(), zero_stage, false, [&](TestContext& ctx, const ParameterSet&) {
      const double norm = std::sqrt(8 * 96 * 0.25 + 7 * 9 + 8 + 24 * 4);  // of sums that double holds exactly
      EXPECT_EQ(ctx.step_state(StepState::kGradNorm), norm) << "zero_stage " << zero_stage;
      EXPECT_EQ(ctx.step_state(StepState::kFinite), 1);
    });
  }
}

/// Adam's first step has the size of the learning rate. A tensor of which a rank holds nothing begins where the next one does.
TEST_P(OptimizerOnGridTest, UpdatesEveryElementOnce) {
  for (const int zero_stage : {0, 1}) {
    update_on_grid(GetParam(), zero_stage, false, [&](TestContext&, const ParameterSet& set) {
      for (const Parameter& parameter : set.parameters()) {
        for (const double value : test::to_doubles(parameter.value)) {
          ASSERT_NEAR(std::abs(value), kGridRate, 1e-4 * kGridRate) << parameter.parts[0].name << ", zero_stage " << zero_stage;
        }
      }
    });
  }
}

TEST_P(OptimizerOnGridTest, ANumberThatIsNotFiniteOnOneRankStopsAll) {
  for (const int zero_stage : {0, 1}) {
    update_on_grid(GetParam(), zero_stage, true, [&](TestContext& ctx, const ParameterSet&) {
      EXPECT_EQ(ctx.step_state(StepState::kFinite), 0) << "zero_stage " << zero_stage;
      EXPECT_EQ(ctx.step_state(StepState::kAdamCount), 0);
    });
  }
}

INSTANTIATE_TEST_SUITE_P(Grids, OptimizerOnGridTest,
                         testing::Values(Grid{1, 1}, Grid{2, 1}, Grid{1, 2}, Grid{2, 2}, Grid{1, 4}, Grid{3, 2}),
                         [](const auto& grid) { return fmt::format("data{}tensor{}", grid.param.data, grid.param.tensor); });

TEST_F(OptimizerShardsTest, ValuesAreTheRoundedMasters) {
  build(DType::kBFloat16, {});
  for (int step = 0; step < 3; ++step) {
    const auto master = storage_->masters({0, storage_->parameters().elements()}).span<float>();
    const auto value = storage_->values().span<bfloat16>();
    for (std::size_t i = 0; i < master.size(); ++i) ASSERT_EQ(value[i].bits, bfloat16(master[i]).bits) << i;
    update(0.3);
  }
}

TEST_F(OptimizerShardsTest, MastersShareTheValuesMemoryInFloat32) {
  build(DType::kFloat32, {});
  EXPECT_EQ(storage_->masters({0, storage_->parameters().elements()}).data, storage_->values().data);
}

TEST_F(OptimizerShardsTest, TheAverageFollowsTheMasters) {
  build(DType::kFloat64, {.kind = OptimizerKind::kSgd, .momentum = 0, .max_grad_norm = 0, .ema_decay = 0.75});
  std::vector<double> expected = masters();  // it starts equal to them
  for (int step = 0; step < 4; ++step) {
    update(0.1);
    const std::vector<double> now = masters();
    for (std::size_t i = 0; i < expected.size(); ++i) expected[i] = 0.75 * expected[i] + 0.25 * now[i];
  }
  EXPECT_LT(test::relative_error(test::to_doubles(shards_->moments()[0].flat), expected), 1e-14);
}

TEST_F(OptimizerShardsTest, ExchangingTheAverageTwiceChangesNoBit) {
  for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
    build(dtype, {.ema_decay = 0.9});
    update(0.5);
    const std::vector<double> before = masters(), values = test::to_doubles(storage_->values());
    shards_->exchange_average(ctx_);
    EXPECT_TRUE(shards_->average_in_use());
    EXPECT_NE(masters(), before);
    EXPECT_NE(test::to_doubles(storage_->values()), values);
    EXPECT_THROW(update(0.5), Error);
    shards_->exchange_average(ctx_);
    EXPECT_EQ(masters(), before);
    EXPECT_EQ(test::to_doubles(storage_->values()), values);
  }
}

}  // namespace
}  // namespace weft

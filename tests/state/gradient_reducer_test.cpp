#include "state/gradient_reducer.h"

#include <algorithm>
#include <memory>
#include <utility>

#include <gtest/gtest.h>

#include "layers/gradient.h"
#include "parallel/threads/thread_communicator.h"
#include "runtime/error.h"
#include "tests/support/test_context.h"

namespace weft {
namespace {

class GradientReducerTest : public testing::Test {
 protected:
  void SetUp() override {
    ParameterScope(set_, "a", 0).add("weight", {3, 5}, Init::ones());
    ParameterScope(set_, "b", 1).add("weight", {70}, Init::ones());
    set_.lay_out();
    storage_ = std::make_unique<ParameterStorage>(set_, *mesh_.dp, ctx_.context().device, DType::kFloat32);
    storage_->initialize(ctx_);
  }
  test::TestContext ctx_;
  Mesh mesh_ = make_single_mesh();
  ParameterSet set_{1};
  std::unique_ptr<ParameterStorage> storage_;
};

TEST_F(GradientReducerTest, AnUpdateBeginsAnewAndSumsItsPasses) {
  GradientReducer reducer(*storage_, *mesh_.dp);
  for (int update = 0; update < 2; ++update) {
    reducer.begin_update(2);
    for (int pass = 0; pass < 2; ++pass) {
      for (BlockId block = 1; block >= 0; --block) {
        const Tensor gradient = gradient_to_add(ctx_, set_.parameters()[static_cast<std::size_t>(block)]);
        for (float& element : gradient.view({block == 0 ? 15 : 70}).span<float>()) element += 1.5f;
        reducer.ready(ctx_, block);
      }
    }
    reducer.finish(ctx_);
    ASSERT_EQ(reducer.slices().size(), 1u);
    const Slice& slice = reducer.slices()[0];
    EXPECT_EQ(slice.range.begin, 0);
    EXPECT_EQ(slice.range.end, set_.elements());
    double sum = 0;
    for (const float element : slice.gradient.span<float>()) sum += static_cast<double>(element);
    EXPECT_EQ(sum, 3.0 * (15 + 70));  // the padding stays zero
  }
}

TEST_F(GradientReducerTest, ProductsOverwriteWhatAnotherUpdateLeft) {
  GradientReducer reducer(*storage_, *mesh_.dp);
  Parameter& weight = set_.parameters()[0];
  const Memory memory = ctx_.context().device.allocate(8 * sizeof(float), MemoryKind::kDevice);
  const Tensor a = memory.tensor({1, 3}, DType::kFloat32), b = memory.tensor({8}, DType::kFloat32).rows(3, 5).view({1, 5});
  for (Tensor x : {a, b}) {
    for (float& element : x.view({x.size(1)}).span<float>()) element = 2;
  }
  for (int update = 0; update < 2; ++update) {
    reducer.begin_update(2);
    for (int pass = 0; pass < 2; ++pass) {
      add_weight_gradient(ctx_, a, b, weight);
      for (BlockId block = 1; block >= 0; --block) reducer.ready(ctx_, block);
    }
    reducer.finish(ctx_);
    for (const float element : weight.grad.view({15}).span<float>()) EXPECT_EQ(element, 2 * 2 * 2);
  }
}

TEST_F(GradientReducerTest, WhatNobodyWritesIsZero) {
  GradientReducer reducer(*storage_, *mesh_.dp);
  for (Parameter& parameter : set_.parameters()) {
    for (float& element : parameter.grad.view({parameter.grad.elements()}).span<float>()) element = 7;  // of another update
  }
  reducer.begin_update(1);
  for (BlockId block = 1; block >= 0; --block) reducer.ready(ctx_, block);
  reducer.finish(ctx_);
  for (const float element : reducer.slices()[0].gradient.span<float>()) EXPECT_EQ(element, 0);
}

// With stage 2 the memory of a gradient serves other blocks in turn: what was left there is no gradient of a frozen parameter.
TEST(GradientReducerOnTwoRanks, AFrozenParameterHasNoGradientAtAnyStage) {
  constexpr std::int64_t kElements = 300'000;  // more than the megabyte of a bucket
  for (const int stage : {0, 1, 2}) {
    const ParallelConfig config{.zero_stage = stage, .bucket_mb = 1};
    run_ranks(2, config, [&](Mesh& mesh) {
      test::TestContext ctx;
      ParameterSet set(1, 2);
      for (const auto& [prefix, block] : {std::pair{"a", 0}, {"b", 1}, {"c", 2}}) {
        ParameterScope(set, prefix, block).add("frozen", {kElements}, Init::ones()).trained = block == 2;
        ParameterScope(set, prefix, block).add("weight", {10}, Init::ones());
      }
      set.lay_out();
      Device& device = ctx.context().device;
      ParameterStorage storage(set, *mesh.dp, device, DType::kFloat32, ShardLayout(set, *mesh.dp, config, 4), StorageUse::kTraining);
      storage.initialize(ctx);
      GradientReducer reducer(storage, *mesh.dp);
      for (int update = 0; update < 2; ++update) {
        reducer.begin_update(2);
        for (int pass = 0; pass < 2; ++pass) {
          for (BlockId block = 2; block >= 0; --block) {
            for (Parameter& parameter : set.parameters()) {
              if (parameter.block != block) continue;
              const Tensor gradient = gradient_to_add(ctx, parameter);
              ASSERT_EQ(gradient.defined(), parameter.trained);
              if (!gradient.defined()) continue;
              for (float& element : gradient.span<float>()) element += 1;
            }
            reducer.ready(ctx, block);
          }
        }
        reducer.finish(ctx);
        for (const Slice& slice : reducer.slices()) {
          for (const Parameter& parameter : set.parameters()) {
            if (parameter.trained) continue;
            const std::int64_t begin = std::max(slice.range.begin, parameter.offset);
            for (std::int64_t i = begin; i < std::min(slice.range.end, parameter.offset + kElements); ++i) {
              ASSERT_EQ(slice.gradient.span<float>()[static_cast<std::size_t>(i - slice.range.begin)], 0) << "stage " << stage;
            }
          }
        }
      }
    });
  }
}

TEST_F(GradientReducerTest, NoticesABlockThatIsNotReadyOnceAPass) {
  GradientReducer reducer(*storage_, *mesh_.dp);
  reducer.begin_update(1);
  reducer.ready(ctx_, 0);
  EXPECT_THROW(reducer.finish(ctx_), Error);
  EXPECT_THROW(reducer.ready(ctx_, 0), Error);
}

TEST_F(GradientReducerTest, RefusesAnUnknownStage) {
  EXPECT_THROW(ShardLayout(storage_->parameters(), *mesh_.dp, {.zero_stage = 3}, 4), Error);
}

}  // namespace
}  // namespace weft

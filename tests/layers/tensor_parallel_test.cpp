#include <functional>

#include <gtest/gtest.h>

#include "layers/attention/cross_attention.h"
#include "layers/attention/self_attention.h"
#include "layers/feed_forward.h"
#include "layers/tensor_parallel.h"
#include "parallel/threads/thread_communicator.h"
#include "runtime/error.h"
#include "tests/layers/bound_parameters.h"
#include "tests/support/batches.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

constexpr std::int64_t kCutWidth = 24, kCutInner = 40;
constexpr int kMostRanks = 4;

/// A layer, its parameters and one pass through it. What a pass computes: y, what is added to dx, and further gradients of inputs.
struct CutPass {
  std::vector<double> y, dx, dmemory;
};
using PassOf = std::function<CutPass(TestContext&, Write)>;
using MakeLayer = std::function<PassOf(ParameterSet&, const TensorParallel&)>;

/// A layer that reads one stream of rows.
template <class Layer, class Config>
PassOf passes_of(const Config& config, ParameterSet& set, const TensorParallel& tp) {
  auto layer = std::make_shared<Layer>(config, ParameterScope(set, "layer", 0), tp);
  return [layer](TestContext& ctx, Write write) {
    const Rows rows = make_rows_of_lengths(ctx, {3, 1, 4});
    const Tensor x = ctx.normal({8, kCutWidth}, kDouble, 1), dy = ctx.normal({8, kCutWidth}, kDouble, 2);
    const Tensor y = ctx.empty({8, kCutWidth}, kDouble), dx = ctx.normal({8, kCutWidth}, kDouble, 3);
    typename Layer::Saved saved;
    const StepArena::Scope scope(ctx.context().memory);
    layer->forward(ctx, x, rows, y, saved);
    layer->backward(ctx, dy, saved, dx, write);
    return CutPass{to_doubles(y), to_doubles(dx), {}};
  };
}

PassOf feed_forward(ParameterSet& set, const TensorParallel& tp) {
  return passes_of<FeedForward>(
      FeedForwardConfig{.hidden_size = kCutWidth, .ffn_size = kCutInner, .activation = FfnActivation::kGelu, .activation_dropout = 0.4},
      set, tp);
}

PassOf self_attention(ParameterSet& set, const TensorParallel& tp) {
  return passes_of<SelfAttention>(
      AttentionConfig{.hidden_size = kCutWidth, .num_heads = 8, .causal = true, .dropout = 0.4, .max_length = 16}, set, tp);
}

/// The gradient of the memory is this rank's part of the sum, which the model takes: here the test does.
PassOf cross_attention(ParameterSet& set, const TensorParallel& tp) {
  auto layer = std::make_shared<CrossAttention>(AttentionConfig{.hidden_size = kCutWidth, .num_heads = 8, .dropout = 0.4, .max_length = 16},
                                                ParameterScope(set, "cross_attn", 0), tp);
  return [layer, tp](TestContext& ctx, Write write) {
    const Rows rows = make_rows_of_lengths(ctx, {3, 1}), memory_rows = make_rows_of_lengths(ctx, {2, 5});
    const Tensor x = ctx.normal({4, kCutWidth}, kDouble, 1), dy = ctx.normal({4, kCutWidth}, kDouble, 2);
    const Tensor memory = ctx.normal({7, kCutWidth}, kDouble, 4), dmemory = ctx.zeros({7, kCutWidth}, kDouble);
    const Tensor y = ctx.empty({4, kCutWidth}, kDouble), dx = ctx.normal({4, kCutWidth}, kDouble, 3);
    const Shape keys{7, 2 * kCutWidth / tp.size()};
    const Tensor keys_values = ctx.empty(keys, kDouble), dkeys_values = ctx.empty(keys, kDouble);
    CrossAttention::Saved saved;
    const StepArena::Scope scope(ctx.context().memory);
    layer->project(ctx, memory, keys_values);
    layer->forward(ctx, x, rows, layer->keys(keys_values, memory_rows), y, saved);
    layer->backward(ctx, dy, saved, {.dx = dx, .dkeys_values = dkeys_values}, write);
    layer->project_backward(ctx, dkeys_values, memory, dmemory);
    tp.leave(ctx, dmemory);
    return CutPass{to_doubles(y), to_doubles(dx), to_doubles(dmemory)};
  };
}

struct CutLayer {
  const char* name;
  MakeLayer make;
};
void PrintTo(const CutLayer& layer, std::ostream* out) {
  *out << layer.name;
}

/// One rank with the whole layer, and what it computes.
struct WholeLayer {
  explicit WholeLayer(const MakeLayer& make, Write write) : run(make(set, {})) {
    set.lay_out();
    parameters.emplace(ctx, set, kDouble);
    pass = run(ctx, write);
  }
  TestContext ctx;
  ParameterSet set{11};
  PassOf run;
  std::optional<BoundParameters> parameters;
  CutPass pass;
};

class CutLayerTest : public testing::TestWithParam<CutLayer> {};

TEST_P(CutLayerTest, RanksComputeTogetherWhatOneComputesAlone) {
  for (const Write write : {Write::kOverwrite, Write::kAdd}) {
    const WholeLayer whole(GetParam().make, write);
    for (int ranks = 1; ranks <= kMostRanks; ranks *= 2) {
      run_ranks(ranks, {.data = 1, .tensor = ranks}, [&](Mesh& mesh) {
        TestContext ctx;
        ParameterSet set(11);
        const PassOf run = GetParam().make(set, TensorParallel(*mesh.tp));
        set.lay_out();
        const BoundParameters bound(ctx, set, kDouble);
        const CutPass pass = run(ctx, write);
        EXPECT_LT(relative_error(pass.y, whole.pass.y), 1e-12);
        EXPECT_LT(relative_error(pass.dx, whole.pass.dx), 1e-12);
        EXPECT_EQ(pass.dmemory.size(), whole.pass.dmemory.size());
        if (!pass.dmemory.empty()) {
          EXPECT_LT(relative_error(pass.dmemory, whole.pass.dmemory), 1e-12);
        }
        const BoundParameters::Worst worst = bound.worst_gradient(*whole.parameters);
        EXPECT_LT(worst.error, 1e-10) << worst.part << " of rank " << mesh.tp->rank() << " of " << ranks;
        EXPECT_EQ(set.count(), whole.set.count());
      });
    }
  }
}
INSTANTIATE_TEST_SUITE_P(Layers, CutLayerTest,
                         testing::Values(CutLayer{"feed_forward", feed_forward}, CutLayer{"self_attention", self_attention},
                                         CutLayer{"cross_attention", cross_attention}),
                         testing::PrintToStringParamName());

TEST(TensorParallelTest, RefusesWhatTheRanksCannotShare) {
  run_ranks(3, {.data = 1, .tensor = 3}, [](Mesh& mesh) {
    ParameterSet set(1);
    const ParameterScope scope(set, "layer", 0);
    const TensorParallel tp(*mesh.tp);
    EXPECT_THROW(FeedForward({.hidden_size = 6, .ffn_size = 8}, scope, tp), Error);
    EXPECT_THROW(SelfAttention({.hidden_size = 12, .num_heads = 4}, scope, tp), Error);
  });
}

TEST(CutTest, PiecesAreWholeUnitsAndTheLastIsWhatIsLeft) {
  const auto piece = [](int rank) { return box_of({200, 3}, {.dim = 0, .rank = rank, .size = 3, .unit = 64}); };
  EXPECT_EQ(piece(0).begin[0], 0);
  EXPECT_EQ(piece(0).size, (Shape{128, 3}));
  EXPECT_EQ(piece(1).begin[0], 128);
  EXPECT_EQ(piece(1).size, (Shape{72, 3}));
  EXPECT_EQ(piece(2).size, (Shape{0, 3}));
  EXPECT_EQ(box_of({6, 8}, {.dim = 1, .rank = 1, .size = 2}).begin, (Shape{0, 4}));
  EXPECT_EQ(box_of({5}, {}).size, (Shape{5}));
}

}  // namespace
}  // namespace weft::test

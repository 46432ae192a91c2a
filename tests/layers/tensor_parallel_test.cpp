#include <gtest/gtest.h>

#include "layers/feed_forward.h"
#include "layers/tensor_parallel.h"
#include "runtime/error.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

/// Two ranks of which the other always holds the same numbers: a sum doubles them.
class EchoingPair : public Communicator {
 public:
  int rank() const override { return 0; }
  int size() const override { return 2; }
  Memory allocate(Device&, std::int64_t) override { fail("not used here"); }
  void all_reduce(Stream&, Tensor x) override {
    for (double& value : x.span<double>()) value *= 2;
  }
  void reduce_scatter(Stream&, Tensor, Tensor) override { fail("not used here"); }
  void all_gather(Stream&, Tensor, Tensor) override { fail("not used here"); }
  void broadcast(Stream&, Tensor, int) override { fail("not used here"); }
  void barrier(Stream&) override { fail("not used here"); }
};

TEST(TensorParallelTest, SumsOutputsGoingForwardAndInputGradientsComingBack) {
  EchoingPair pair;
  TestContext ctx;
  const Tensor y = ctx.floats({1, 2}, DType::kFloat64, {1, 2});
  TensorParallel(pair).leave(ctx, y);
  EXPECT_EQ(to_doubles(y), (std::vector<double>{2, 4}));
  TensorParallel(pair).enter_backward(ctx, y);
  EXPECT_EQ(to_doubles(y), (std::vector<double>{4, 8}));
}

TEST(TensorParallelTest, LayersThatAreNotCutRefuseMoreThanOneRank) {
  EchoingPair pair;
  ParameterSet set(1);
  const ParameterScope scope(set, "ffn", 0);
  EXPECT_THROW(FeedForward({.hidden_size = 4, .ffn_size = 4}, scope, TensorParallel(pair)), Error);
}

TEST(TensorParallelTest, AloneDoesNothing) {
  const std::unique_ptr<Communicator> self = make_self_communicator();
  TestContext ctx;
  const Tensor y = ctx.floats({1, 2}, DType::kFloat64, {1, 2});
  for (const TensorParallel& alone : {TensorParallel(), TensorParallel(*self)}) {
    alone.leave(ctx, y);
    alone.enter_backward(ctx, y);
    EXPECT_EQ(alone.size(), 1);
    EXPECT_EQ(to_doubles(y), (std::vector<double>{1, 2}));
  }
}

}  // namespace
}  // namespace weft::test

#include <gtest/gtest.h>

#include "runtime/kernels/embedding.h"
#include "tests/runtime/kernels/sizes.h"
#include "tests/support/gradient_check.h"
#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

struct Lookup {
  std::vector<std::int32_t> tokens, positions, by_token;
};

void check_embedding(const Lookup& l, std::int64_t columns, double p) {
  TestContext ctx;
  const auto rows = static_cast<std::int64_t>(l.tokens.size());
  const Tensor weight = ctx.normal({4, columns}, kDouble, 1), position_table = ctx.normal({3, columns}, kDouble, 2);
  const Tensor y = ctx.empty({rows, columns}, kDouble), dy = ctx.normal(y.shape, kDouble, 3);
  const Tensor dweight = ctx.zeros(weight.shape, kDouble), dposition = ctx.zeros(position_table.shape, kDouble);
  const Tensor tokens = ctx.ints(l.tokens), positions = ctx.ints(l.positions);
  const RowDropout dropout = row_dropout(ctx, rows, p);
  kernels::embedding_backward(ctx, {.dy = dy,
                                    .tokens = tokens,
                                    .positions = positions,
                                    .by_token = ctx.ints(l.by_token),
                                    .scale = 2.5,
                                    .dropout = dropout,
                                    .dweight = dweight,
                                    .dposition = dposition});
  const auto error = check_gradients({{"weight", weight, dweight}, {"position", position_table, dposition}}, [&] {
    kernels::embedding_forward(ctx, {.tokens = tokens,
                                     .positions = positions,
                                     .weight = weight,
                                     .position_table = position_table,
                                     .scale = 2.5,
                                     .dropout = dropout,
                                     .y = y});
    return dot(y, dy);
  });
  EXPECT_LT(error.worst, kGradientTolerance) << rows << "x" << columns << " dropout " << p << ", worst at " << error.where;
}

TEST(EmbeddingGradients, MatchFiniteDifferences) {
  const Lookup one{{2}, {0}, {0}};
  const Lookup repeated{{3, 0, 3, 1, 3}, {0, 1, 2, 0, 1}, {1, 3, 0, 2, 4}};
  for (const double p : {0.0, 0.4}) {
    for (const std::int64_t columns : {1, 7}) {
      check_embedding(one, columns, p);
      check_embedding(repeated, columns, p);
    }
  }
}

TEST(EmbeddingKernel, RefusesATokenOutsideTheVocabulary) {
  TestContext ctx;
  EXPECT_THROW(
      kernels::embedding_forward(
          ctx,
          {.tokens = ctx.ints({4}), .positions = ctx.ints({0}), .weight = ctx.zeros({4, 2}, kDouble), .y = ctx.zeros({1, 2}, kDouble)}),
      std::exception);
}

}  // namespace
}  // namespace weft::test

#include "models/transformer_layer.h"

#include <gtest/gtest.h>

#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

bool operator==(const RandomKey& a, const RandomKey& b) {
  return a.low == b.low && a.high == b.high;
}

/// The output of every sub-layer is dropped out at a site of its own, named in full.
TEST(TransformerLayerTest, DropoutSitesOfTheSublayersAreNamedInFull) {
  constexpr std::uint64_t kSeed = 11;
  TestContext ctx;
  ParameterSet set(kSeed);
  const ModelConfig config = small_config({NormPosition::kPost});
  const TransformerLayer layer(config, StackKind::kDecoder, ParameterScope(set, "decoder.layers.3", 0), {});
  set.lay_out();
  const BoundParameters bound(ctx, set, DType::kFloat64);
  const Rows rows = make_rows_of_lengths(ctx, {3, 2}), memory_rows = make_rows_of_lengths(ctx, {1, 4});
  const Tensor x = ctx.normal({5, config.hidden_size}, DType::kFloat64, 1), memory = ctx.normal(x.shape, DType::kFloat64, 2);
  TransformerLayer::Saved saved;
  layer.forward(ctx, {.x = x, .rows = rows, .memory = memory, .memory_rows = memory_rows}, ctx.empty(x.shape, DType::kFloat64), saved);
  const auto expect_site = [&](std::size_t join, const std::string& name) {
    EXPECT_TRUE(saved.joins[join].dropout.site.key == random_key(kSeed, "decoder.layers.3." + name)) << name;
    EXPECT_EQ(saved.joins[join].dropout.site.p, config.dropout);
  };
  expect_site(0, "self_attn.dropout");
  expect_site(1, "cross_attn.dropout");
  expect_site(2, "ffn.dropout");
}

}  // namespace
}  // namespace weft::test

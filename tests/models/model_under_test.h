#pragma once
#include <memory>
#include <string>
#include <vector>

#include "models/transformer.h"
#include "runtime/kernels/cross_entropy.h"
#include "tests/layers/bound_parameters.h"
#include "tests/support/batches.h"
#include "tests/support/golden.h"
#include "tests/support/test_context.h"

namespace weft::test {

/// A Transformer with its parameters, in memory of the test.
struct ModelUnderTest {
  ModelConfig config;
  DType dtype;
  TestContext ctx;
  ParameterSet set;
  std::unique_ptr<TranslationModel> model;
  BoundParameters bound;

  ModelUnderTest(const ModelConfig&, const KernelTable&, DType, std::uint64_t seed = 1, TensorParallel = {});

  std::vector<std::string> part_names() const { return bound.trained_parts(); }
  /// One pass: adds to the gradients, returns the sums (LossSums).
  std::vector<double> forward_backward(const Batch&, BlockHooks&);
  std::vector<double> forward_backward(const Batch&);
  /// Loss only.
  std::vector<double> forward(const Batch&);
  /// Zeroed sums.
  Tensor new_sums() { return ctx.zeros({LossSums::kFields}, DType::kFloat64); }
};

/// The configuration of a golden translation model, and its batch.
ModelConfig golden_config(const GoldenFile&);
Batch golden_batch(TestContext&, const GoldenFile&);

/// What the tests vary, small: 2 + 2 layers of width 8, every dropout on, gelu.
struct Variant {
  NormPosition norm_position = NormPosition::kPost;
  TiedEmbeddings tied_embeddings = TiedEmbeddings::kAll;
  Positions positions = Positions::kSinusoidal;
  bool modern = false;  // grouped heads, wider than hidden_size together; RMS norm; SwiGLU; no biases
};
ModelConfig small_config(const Variant&);
std::vector<Variant> all_variants();
std::string name(const Variant&);
/// Ragged, with one-row sequences on either side.
Batch small_batch(TestContext&);

}  // namespace weft::test

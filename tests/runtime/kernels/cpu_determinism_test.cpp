#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>
#include <utility>
#include <vector>

#include <gtest/gtest.h>
#include <omp.h>

#include "runtime/cpu_features.h"
#include "runtime/kernels/cpu/matmul.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

/// A kernel at a size that is worth two threads; the tensors are what it writes.
struct Case {
  const char* name;
  std::function<std::vector<Tensor>(TestContext&, DType)> run;
};

RowDropout dropout_of(TestContext& ctx, std::int64_t rows) {
  std::vector<std::int32_t> sample, positions;
  for (std::int64_t r = 0; r < rows; ++r) {
    sample.push_back(static_cast<std::int32_t>(r / 13));
    positions.push_back(static_cast<std::int32_t>(r % 13));
  }
  return {.site = {.key = {.low = 5, .high = 6}, .p = 0.3}, .sample = ctx.ints(sample), .positions = ctx.ints(positions)};
}

std::vector<Tensor> matmul(TestContext& ctx, DType dtype, bool weight_gradient) {
  const std::int64_t rows = 1171, in = 136, out = 200;
  const Tensor x = ctx.normal({rows, in}, dtype, 1), w = ctx.normal({out, in}, dtype, 2), dy = ctx.normal({rows, out}, dtype, 3);
  if (weight_gradient) {
    const Tensor dw = ctx.zeros({out, in}, DType::kFloat32);
    kernels::matmul(ctx, {.a = dy, .b = x, .transpose_a = true, .accumulate = true, .y = dw});
    return {dw};
  }
  const Tensor y = ctx.empty({rows, out}, dtype), pre = ctx.empty({rows, out}, dtype), dx = ctx.empty({rows, in}, dtype);
  kernels::matmul(ctx, {.a = x,
                        .b = w,
                        .transpose_b = true,
                        .bias = ctx.normal({out}, dtype, 4),
                        .activation = Activation::kGelu,
                        .pre_activation = pre,
                        .y = y});
  kernels::matmul(ctx, {.a = dy, .b = w, .y = dx});
  return {y, pre, dx};
}

std::vector<Tensor> norm_backward(TestContext& ctx, DType dtype) {
  const std::int64_t rows = 777, columns = 130;
  const Tensor x = ctx.normal({rows, columns}, dtype, 1), residual = ctx.normal({rows, columns}, dtype, 2);
  const Tensor weight = ctx.normal({columns}, dtype, 3), bias = ctx.normal({columns}, dtype, 4);
  const Tensor z = ctx.empty(x.shape, dtype), y = ctx.empty(x.shape, dtype), dx = ctx.empty(x.shape, dtype), dz = ctx.empty(x.shape, dtype);
  const Tensor mean = ctx.empty({rows}, DType::kFloat32), rstd = ctx.empty({rows}, DType::kFloat32);
  const Tensor dweight = ctx.normal({columns}, DType::kFloat32, 5), dbias = ctx.normal({columns}, DType::kFloat32, 6);
  const RowDropout dropout = dropout_of(ctx, rows);
  kernels::norm_forward(
      ctx, {.x = x, .residual = residual, .dropout = dropout, .weight = weight, .bias = bias, .z = z, .y = y, .mean = mean, .rstd = rstd});
  kernels::norm_backward(ctx, {.dy = residual,
                               .z = z,
                               .weight = weight,
                               .mean = mean,
                               .rstd = rstd,
                               .dz_add = x,
                               .dropout = dropout,
                               .dz = dz,
                               .dx = dx,
                               .dweight = dweight,
                               .dbias = dbias});
  return {z, y, mean, rstd, dz, dx, dweight, dbias};
}

std::vector<Tensor> rms_norm(TestContext& ctx, DType dtype) {
  const std::int64_t rows = 777, columns = 130;
  const Tensor x = ctx.normal({rows, columns}, dtype, 1), residual = ctx.normal({rows, columns}, dtype, 2);
  const Tensor weight = ctx.normal({columns}, dtype, 3), z = ctx.empty(x.shape, dtype), y = ctx.empty(x.shape, dtype);
  const Tensor dz = ctx.empty(x.shape, dtype), dx = ctx.empty(x.shape, dtype), rstd = ctx.empty({rows}, DType::kFloat32);
  const Tensor dweight = ctx.normal({columns}, DType::kFloat32, 5);
  const RowDropout dropout = dropout_of(ctx, rows);
  kernels::norm_forward(ctx, {.x = x, .residual = residual, .dropout = dropout, .weight = weight, .z = z, .y = y, .rstd = rstd});
  kernels::norm_backward(
      ctx,
      {.dy = residual, .z = z, .weight = weight, .rstd = rstd, .dz_add = x, .dropout = dropout, .dz = dz, .dx = dx, .dweight = dweight});
  return {z, y, rstd, dz, dx, dweight};
}

std::vector<Tensor> swiglu(TestContext& ctx, DType dtype) {
  const std::int64_t rows = 777, columns = 130;
  const Tensor gate_up = ctx.normal({rows, 2 * columns}, dtype, 1), dh = ctx.normal({rows, columns}, dtype, 2);
  const Tensor h = ctx.empty(dh.shape, dtype), dgate_up = ctx.empty(gate_up.shape, dtype);
  const RowDropout dropout = dropout_of(ctx, rows);
  kernels::swiglu_forward(ctx, {.gate_up = gate_up, .dropout = dropout, .h = h});
  kernels::swiglu_backward(ctx, {.dh = dh, .gate_up = gate_up, .dropout = dropout, .dgate_up = dgate_up});
  return {h, dgate_up};
}

std::vector<Tensor> bias_gradient(TestContext& ctx, DType dtype) {
  const Tensor dbias = ctx.normal({130}, DType::kFloat32, 2);
  kernels::bias_gradient(ctx, {.dy = ctx.normal({777, 130}, dtype, 1), .dbias = dbias});
  return {dbias};
}

std::vector<Tensor> embedding(TestContext& ctx, DType dtype, VocabularyPiece piece) {
  const std::int64_t rows = 777, columns = 130;
  std::vector<std::int32_t> tokens, positions, by_token(static_cast<std::size_t>(rows));
  for (std::int64_t r = 0; r < rows; ++r) {
    tokens.push_back(static_cast<std::int32_t>(r * r % 17));
    positions.push_back(static_cast<std::int32_t>(r % 13));
  }
  std::iota(by_token.begin(), by_token.end(), 0);
  std::stable_sort(by_token.begin(), by_token.end(),
                   [&](auto a, auto b) { return tokens[static_cast<std::size_t>(a)] < tokens[static_cast<std::size_t>(b)]; });
  const std::int64_t held = piece.vocab_size > 0 ? 7 : 20;
  const Tensor dweight = ctx.normal({held, columns}, DType::kFloat32, 2), dposition = ctx.normal({13, columns}, DType::kFloat32, 3);
  const Tensor y = ctx.empty({rows, columns}, dtype);
  kernels::embedding_forward(ctx, {.tokens = ctx.ints(tokens),
                                   .positions = ctx.ints(positions),
                                   .weight = ctx.normal({held, columns}, dtype, 4),
                                   .piece = piece,
                                   .position_table = ctx.normal({13, columns}, dtype, 5),
                                   .scale = 3,
                                   .dropout = dropout_of(ctx, rows),
                                   .y = y});
  kernels::embedding_backward(ctx, {.dy = ctx.normal({rows, columns}, dtype, 1),
                                    .tokens = ctx.ints(tokens),
                                    .positions = ctx.ints(positions),
                                    .by_token = ctx.ints(by_token),
                                    .scale = 3,
                                    .dropout = dropout_of(ctx, rows),
                                    .piece = piece,
                                    .dweight = dweight,
                                    .dposition = dposition});
  return {y, dweight, dposition};
}

/// What attention may know of positions, made for heads of `size`.
AttentionPositions no_positions(TestContext&, std::int64_t, std::int64_t) {
  return {};
}
AttentionPositions rotary(TestContext& ctx, std::int64_t, std::int64_t size) {
  return {.rotation = ctx.normal({300, size}, DType::kFloat32, 7)};
}
AttentionPositions interleaved(TestContext& ctx, std::int64_t, std::int64_t size) {
  return {.rotation = ctx.normal({300, size}, DType::kFloat32, 7), .pairing = RotaryPairing::kInterleaved};
}
AttentionPositions alibi(TestContext& ctx, std::int64_t heads, std::int64_t) {
  return {.slopes = ctx.floats(std::vector<double>(static_cast<std::size_t>(heads), 0.125), DType::kFloat32, {heads})};
}

template <AttentionPositions make_positions(TestContext&, std::int64_t, std::int64_t), int kv_heads>
std::vector<Tensor> attention(TestContext& ctx, DType dtype) {
  const std::int64_t heads = 4, size = 24;
  const AttentionPositions positions = make_positions(ctx, heads, size);
  std::vector<std::int32_t> begin, length;
  std::int32_t rows = 0;
  for (std::int32_t n : {13, 60, 1, 33, 300, 7}) {
    begin.push_back(rows);
    length.push_back(n);
    rows += n;
  }
  const Tensor b = ctx.ints(begin), n = ctx.ints(length);
  const AttentionRows where{b, n, b, n, 300, 300};
  const RowDropout d = dropout_of(ctx, rows);
  const AttentionDropout dropout{.rows = d, .key_stride = 301};
  const auto x = [&](std::int64_t h, std::uint64_t seed) { return ctx.normal({rows, h, size}, dtype, seed); };
  const Tensor q = x(heads, 1), k = x(kv_heads, 2), v = x(kv_heads, 3), dy = x(heads, 4), y = ctx.empty(q.shape, dtype),
               lse = ctx.empty({rows, heads}, DType::kFloat32);
  const Tensor dq = ctx.empty(q.shape, dtype), dk = ctx.empty(k.shape, dtype), dv = ctx.empty(k.shape, dtype);
  kernels::attention_forward(ctx, {.q = q,
                                   .k = k,
                                   .v = v,
                                   .rows = where,
                                   .causal = true,
                                   .scale = 0.2,
                                   .positions = positions,
                                   .dropout = dropout,
                                   .y = y,
                                   .lse = lse});
  kernels::attention_backward(ctx, {.dy = dy,
                                    .q = q,
                                    .k = k,
                                    .v = v,
                                    .y = y,
                                    .lse = lse,
                                    .rows = where,
                                    .causal = true,
                                    .scale = 0.2,
                                    .positions = positions,
                                    .dropout = dropout,
                                    .dq = dq,
                                    .dk = dk,
                                    .dv = dv});
  return {y, lse, dq, dk, dv};
}

std::vector<Tensor> cross_entropy(TestContext& ctx, DType dtype) {
  const std::int64_t rows = 97, columns = 1003;
  std::vector<std::int32_t> labels;
  for (std::int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<std::int32_t>(r * 7 % columns));
  const Tensor sums = ctx.zeros({LossSums::kFields}, DType::kFloat64), dlogits = ctx.empty({rows, columns}, dtype);
  kernels::cross_entropy(ctx, {.logits = ctx.normal({rows, columns}, DType::kFloat32, 1),
                               .labels = ctx.ints(labels),
                               .weights = ctx.normal({rows}, DType::kFloat32, 2),
                               .label_smoothing = 0.1,
                               .dlogits = dlogits,
                               .sums = sums});
  return {sums, dlogits};
}

std::vector<Tensor> softmax_statistics(TestContext& ctx, DType) {
  const std::int64_t rows = 97, columns = 1003;
  std::vector<std::int32_t> labels;
  for (std::int64_t r = 0; r < rows; ++r) labels.push_back(static_cast<std::int32_t>(r * 29 % (3 * columns)));
  const Tensor statistics = ctx.empty({rows, SoftmaxStatistics::kFields}, DType::kFloat64);
  kernels::softmax_statistics(ctx, {.logits = ctx.normal({rows, columns}, DType::kFloat32, 1),
                                    .labels = ctx.ints(labels),
                                    .piece = {.first = columns, .vocab_size = 3 * columns},
                                    .statistics = statistics});
  const Tensor merged = ctx.empty({rows, SoftmaxStatistics::kFields}, DType::kFloat64);
  const Tensor pieces = ctx.normal({3 * rows, SoftmaxStatistics::kFields}, DType::kFloat64, 3);
  kernels::merge_statistics(ctx, {.pieces = pieces, .statistics = merged});
  return {statistics, merged};
}

std::vector<Tensor> sum_of_squares(TestContext& ctx, DType) {
  kernels::sum_of_squares(ctx, {.x = ctx.normal({100003}, DType::kFloat32, 1)});
  return {ctx.context().step_state};
}

std::vector<Case> cases() {
  return {{"matmul", [](TestContext& ctx, DType dtype) { return matmul(ctx, dtype, false); }},
          {"weight gradient", [](TestContext& ctx, DType dtype) { return matmul(ctx, dtype, true); }},
          {"norms", norm_backward},
          {"bias_gradient", bias_gradient},
          {"rms norm", rms_norm},
          {"swiglu", swiglu},
          {"embedding", [](TestContext& ctx, DType dtype) { return embedding(ctx, dtype, {}); }},
          {"a piece of the embedding", [](TestContext& ctx, DType dtype) { return embedding(ctx, dtype, {.first = 5, .vocab_size = 20}); }},
          {"attention", attention<no_positions, 4>},
          {"grouped attention", attention<no_positions, 2>},
          {"rotary attention", attention<rotary, 4>},
          {"interleaved rotary attention, grouped", attention<interleaved, 1>},
          {"attention with slopes, grouped", attention<alibi, 2>},
          {"cross_entropy", cross_entropy},
          {"softmax_statistics", softmax_statistics},
          {"sum_of_squares", sum_of_squares}};
}

bool same_bits(const Tensor& a, const Tensor& b) {
  return a.bytes() == b.bytes() && std::memcmp(a.data, b.data, static_cast<std::size_t>(a.bytes())) == 0;
}

class CpuDeterminismTest : public testing::TestWithParam<InstructionSet> {
 protected:
  void SetUp() override {
    if (instruction_set() < GetParam()) GTEST_SKIP() << "this processor has " << weft::name(instruction_set());
  }
  void TearDown() override { omp_set_num_threads(threads_); }
  const int threads_ = omp_get_max_threads();
};

TEST_P(CpuDeterminismTest, OneAndTwoThreadsGiveTheSameBits) {
  for (const Case& kernel : cases()) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      TestContext alone(cpu_kernels(GetParam())), together(cpu_kernels(GetParam()));
      omp_set_num_threads(1);
      const std::vector<Tensor> expected = kernel.run(alone, dtype);
      omp_set_num_threads(2);
      const std::vector<Tensor> found = kernel.run(together, dtype);
      for (std::size_t i = 0; i < expected.size(); ++i) {
        EXPECT_TRUE(same_bits(found[i], expected[i])) << kernel.name << ", output " << i << ", " << name(dtype);
      }
    }
  }
}

/// y = x op(w), from the packed form of w when it is asked for and there is one.
void multiply(TestContext& ctx, const Tensor& x, const Tensor& w, bool transpose, bool packed, const Tensor& y) {
  kernels::Matmul m{.a = x, .b = w, .transpose_b = transpose, .y = y};
  const std::int64_t bytes = kernels::packed_matmul_bytes(ctx.context().device, w, transpose);
  if (packed && bytes > 0) {
    m.packed_b = ctx.empty({bytes}, DType::kUInt8);
    kernels::pack_matmul(ctx, {.b = w, .transpose_b = transpose, .packed = m.packed_b});
  }
  kernels::matmul(ctx, m);
}

TEST_P(CpuDeterminismTest, PackedWeightsGiveTheSameBits) {
  for (const auto& [in, out] : std::vector<std::pair<std::int64_t, std::int64_t>>{{1, 1}, {64, 48}, {136, 1200}, {1030, 33}}) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      for (const bool transpose : {false, true}) {
        TestContext ctx(cpu_kernels(GetParam()));
        const Tensor w = ctx.normal(transpose ? Shape{out, in} : Shape{in, out}, dtype, 2);
        for (const std::int64_t rows : {1, 2, 3, 4, 6, 7, 100}) {
          const Tensor x = ctx.normal({rows, in}, dtype, 1), plain = ctx.empty({rows, out}, dtype), packed = ctx.empty({rows, out}, dtype);
          multiply(ctx, x, w, transpose, false, plain);
          multiply(ctx, x, w, transpose, true, packed);
          EXPECT_TRUE(same_bits(packed, plain)) << rows << " x " << in << " x " << out << ", " << name(dtype) << ", " << transpose;
        }
      }
    }
  }
}

TEST_P(CpuDeterminismTest, RowOfAProductDoesNotDependOnTheNumberOfRows) {
  constexpr std::int64_t kMost = 421;
  for (const auto& [in, out] : std::vector<std::pair<std::int64_t, std::int64_t>>{{64, 48}, {136, 200}, {1100, 72}}) {
    for (const DType dtype : {DType::kFloat32, DType::kBFloat16}) {
      for (const bool forward : {true, false}) {  // x W^T, or the input gradient dy W
        TestContext ctx(cpu_kernels(GetParam()));
        const Tensor x = ctx.normal({kMost, in}, dtype, 1), w = ctx.normal(forward ? Shape{out, in} : Shape{in, out}, dtype, 2);
        const Tensor all = ctx.empty({kMost, out}, dtype);
        multiply(ctx, x, w, forward, false, all);
        for (const std::int64_t rows : {1, 2, 5, 15, 16, 17, 40, 127, 129, 400}) {
          const Tensor some = ctx.empty({rows, out}, dtype);
          int others = 0;  // the last bit of few elements would differ, so all rows are tried
          for (std::int64_t first = 0; first + rows <= kMost; first += rows) {
            multiply(ctx, x.rows(first, rows), w, forward, false, some);
            others += same_bits(some, all.rows(first, rows)) ? 0 : 1;
          }
          EXPECT_EQ(others, 0) << rows << " rows of " << in << " to " << out << ", " << name(dtype) << ", forward " << forward;
        }
      }
    }
  }
}

TEST_P(CpuDeterminismTest, RowCountsOfAFewBatchesCoverAllOthers) {
  TestContext ctx(cpu_kernels(GetParam()));
  const std::int64_t in = 40;
  const Tensor x = ctx.normal({4096, in}, DType::kFloat32, 1), w = ctx.normal({48, in}, DType::kFloat32, 2);
  const Tensor y = ctx.empty({4096, 48}, DType::kFloat32);
  const auto multiply = [&](std::int64_t rows) {
    kernels::matmul(ctx, {.a = x.rows(0, rows), .b = w, .transpose_b = true, .y = y.rows(0, rows)});
  };
  const std::int64_t before = matmul_primitives_created();
  multiply(1000);
  if (GetParam() == InstructionSet::kAvx2) {
    EXPECT_EQ(matmul_primitives_created(), before);  // our own products need none
    return;
  }
  EXPECT_GT(matmul_primitives_created(), before);
  for (std::int64_t rows = 1; rows < 16; ++rows) multiply(rows);
  for (std::int64_t rows = 16; rows < 128; rows += 16) multiply(rows);
  for (std::int64_t rows = 128; rows < 1024; rows += 128) multiply(rows);
  for (std::int64_t rows : {1024, 2048, 4096}) multiply(rows);
  const std::int64_t warm = matmul_primitives_created();
  for (std::int64_t rows = 1; rows <= 4096; rows += 13) multiply(rows);
  EXPECT_EQ(matmul_primitives_created(), warm);
}

INSTANTIATE_TEST_SUITE_P(InstructionSets, CpuDeterminismTest, testing::Values(InstructionSet::kAvx2, InstructionSet::kAvx512),
                         [](const auto& set) { return set.param == InstructionSet::kAvx2 ? "Avx2" : "Avx512"; });

}  // namespace
}  // namespace weft::test

// Speed of the CPU kernels at the shapes of a step: transformer-tiny (C 128, F 256, V 8000, 4,100 rows a side), small and base.
//   kernels_benchmark --benchmark_filter=matmul --benchmark_repetitions=5 --benchmark_enable_random_interleaving=true
// FLOPS: products, 2 M N K. bytes_per_second: what the kernel must read and write. Run on an idle machine; compare ratios, not runs.
#include <algorithm>
#include <array>
#include <deque>
#include <numeric>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>

#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/step_state.h"

namespace weft {
namespace {

constexpr DType kFloat = DType::kFloat32;

/// A device with the fast kernels, and tensors of random numbers: zeros multiply faster.
class Bench {
 public:
  Bench()
      : device_(cpu_kernels(instruction_set())),
        block_(device_.allocate(kArenaBytes, MemoryKind::kDevice)),
        arena_(block_.data(), kArenaBytes),
        context_{device_, device_.stream(StreamKind::kCompute), arena_, {}, true} {
    context_.step_state = tensor({StepState::kFields}, DType::kFloat64);
    for (int field = 0; field < StepState::kFields; ++field) context_.step_state.as<double>()[field] = 1;
  }
  operator Context&() { return context_; }

  Tensor tensor(Shape shape, DType dtype) {
    memory_.push_back(device_.allocate(shape.elements() * size_of(dtype), MemoryKind::kDevice));
    return memory_.back().tensor(shape, dtype);
  }
  Tensor random(Shape shape, DType dtype) {
    const Tensor result = tensor(shape, dtype);
    for (std::int64_t i = 0; i < result.elements(); ++i) {
      const auto x = static_cast<float>(random_uniform({1, 2}, next_++) - 0.5);
      if (dtype == kFloat) {
        result.as<float>()[i] = x;
      } else {
        result.as<bfloat16>()[i] = bfloat16(x);
      }
    }
    return result;
  }
  Tensor ints(std::int64_t count, std::int64_t bound) {
    const Tensor result = tensor({count}, DType::kInt32);
    for (std::int64_t i = 0; i < count; ++i) {
      result.as<std::int32_t>()[i] = static_cast<std::int32_t>(random_below({1, 2}, next_++, static_cast<std::uint64_t>(bound)));
    }
    return result;
  }
  RowDropout dropout(std::int64_t rows, double p) {
    return {.site = {.key = {.low = 3, .high = 4}, .p = p}, .sample = ints(rows, 300), .positions = ints(rows, 60)};
  }

 private:
  static constexpr std::int64_t kArenaBytes = 64 << 20;
  CpuDevice device_;
  Memory block_;
  StepArena arena_;
  std::deque<Memory> memory_;
  Context context_;
  std::uint64_t next_ = 0;
};

void count_flops(benchmark::State& state, std::int64_t flops) {
  state.counters["FLOPS"] = benchmark::Counter(static_cast<double>(flops), benchmark::Counter::kIsIterationInvariantRate);
}
void count_bytes(benchmark::State& state, std::int64_t bytes) {
  state.SetBytesProcessed(state.iterations() * bytes);
}
DType dtype_of_arg(const benchmark::State& state, int index) {
  return state.range(index) == 0 ? kFloat : DType::kBFloat16;
}

/// Forward, input gradient and weight gradient of a linear layer: rows, in, out, dtype.
void matmul_forward(benchmark::State& state) {
  const std::int64_t rows = state.range(0), in = state.range(1), out = state.range(2);
  const DType dtype = dtype_of_arg(state, 3);
  Bench bench;
  const kernels::Matmul product{.a = bench.random({rows, in}, dtype),
                                .b = bench.random({out, in}, dtype),
                                .transpose_b = true,
                                .bias = bench.random({out}, dtype),
                                .y = bench.tensor({rows, out}, dtype)};
  for (auto _ : state) kernels::matmul(bench, product);
  count_flops(state, 2 * rows * in * out);
}
void matmul_input_gradient(benchmark::State& state) {
  const std::int64_t rows = state.range(0), in = state.range(1), out = state.range(2);
  const DType dtype = dtype_of_arg(state, 3);
  Bench bench;
  const kernels::Matmul product{
      .a = bench.random({rows, out}, dtype), .b = bench.random({out, in}, dtype), .y = bench.tensor({rows, in}, dtype)};
  for (auto _ : state) kernels::matmul(bench, product);
  count_flops(state, 2 * rows * in * out);
}
void matmul_weight_gradient(benchmark::State& state) {
  const std::int64_t rows = state.range(0), in = state.range(1), out = state.range(2);
  const DType dtype = dtype_of_arg(state, 3);
  Bench bench;
  const kernels::Matmul product{.a = bench.random({rows, out}, dtype),
                                .b = bench.random({rows, in}, dtype),
                                .transpose_a = true,
                                .accumulate = true,
                                .y = bench.random({out, in}, kFloat)};
  for (auto _ : state) kernels::matmul(bench, product);
  count_flops(state, 2 * rows * in * out);
}
void linear_shapes(benchmark::internal::Benchmark* b) {
  b->UseRealTime()->ArgNames({"rows", "in", "out", "bf16"});
  for (const std::int64_t bf16 : {0, 1}) {
    for (const std::int64_t rows : {4096, 4100, 4223}) b->Args({rows, 128, 384, bf16});
    for (const auto& [rows, in, out] : std::vector<std::array<std::int64_t, 3>>{{4100, 128, 128},
                                                                                {4100, 128, 256},
                                                                                {4100, 256, 128},
                                                                                {512, 128, 8000},
                                                                                {1024, 512, 1536},
                                                                                {1024, 512, 1024},
                                                                                {1024, 512, 2048},
                                                                                {1024, 2048, 512}}) {
      b->Args({rows, in, out, bf16});
    }
  }
}
BENCHMARK(matmul_forward)->Apply(linear_shapes);
BENCHMARK(matmul_input_gradient)->Apply(linear_shapes);
BENCHMARK(matmul_weight_gradient)->Apply(linear_shapes);

void row_shapes(benchmark::internal::Benchmark* b) {
  b->UseRealTime()->ArgNames({"rows", "columns", "bf16"});
  for (const std::int64_t bf16 : {0, 1}) {
    b->Args({4100, 128, bf16})->Args({1024, 512, bf16});
  }
}

void norm_forward(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const Shape shape{rows, columns};
  const kernels::NormForward a{.x = bench.random(shape, dtype),
                               .residual = bench.random(shape, dtype),
                               .dropout = bench.dropout(rows, 0.3),
                               .weight = bench.random({columns}, dtype),
                               .bias = bench.random({columns}, dtype),
                               .z = bench.tensor(shape, dtype),
                               .y = bench.tensor(shape, dtype),
                               .mean = bench.tensor({rows}, kFloat),
                               .rstd = bench.tensor({rows}, kFloat)};
  for (auto _ : state) kernels::norm_forward(bench, a);
  count_bytes(state, 4 * rows * columns * size_of(dtype));
}
BENCHMARK(norm_forward)->Apply(row_shapes);

void norm_backward(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const Shape shape{rows, columns};
  const kernels::NormBackward a{.dy = bench.random(shape, dtype),
                                .z = bench.random(shape, dtype),
                                .weight = bench.random({columns}, dtype),
                                .mean = bench.random({rows}, kFloat),
                                .rstd = bench.random({rows}, kFloat),
                                .dz_add = bench.random(shape, dtype),
                                .dropout = bench.dropout(rows, 0.3),
                                .dz = bench.tensor(shape, dtype),
                                .dx = bench.tensor(shape, dtype),
                                .dweight = bench.random({columns}, kFloat),
                                .dbias = bench.random({columns}, kFloat)};
  for (auto _ : state) kernels::norm_backward(bench, a);
  count_bytes(state, 5 * rows * columns * size_of(dtype));
}
BENCHMARK(norm_backward)->Apply(row_shapes);

void dropout(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const kernels::DropoutApply a{
      .x = bench.random({rows, columns}, dtype), .dropout = bench.dropout(rows, 0.3), .y = bench.tensor({rows, columns}, dtype)};
  for (auto _ : state) kernels::dropout(bench, a);
  count_bytes(state, 2 * rows * columns * size_of(dtype));
}
BENCHMARK(dropout)->Apply(row_shapes);

void gelu_backward(benchmark::State& state) {
  const Shape shape{state.range(0), state.range(1)};
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const kernels::ActivationBackward a{
      .dy = bench.random(shape, dtype), .x = bench.random(shape, dtype), .activation = Activation::kGelu, .dx = bench.tensor(shape, dtype)};
  for (auto _ : state) kernels::activation_backward(bench, a);
  count_bytes(state, 3 * shape.elements() * size_of(dtype));
}
BENCHMARK(gelu_backward)->Apply(row_shapes);

void bias_gradient(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const kernels::BiasGradient a{.dy = bench.random({rows, columns}, dtype), .dbias = bench.random({columns}, kFloat)};
  for (auto _ : state) kernels::bias_gradient(bench, a);
  count_bytes(state, rows * columns * size_of(dtype));
}
BENCHMARK(bias_gradient)->Apply(row_shapes);

void embedding_backward(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const Tensor tokens = bench.ints(rows, 2000), by_token = bench.tensor({rows}, DType::kInt32);
  const auto order = by_token.span<std::int32_t>();
  std::iota(order.begin(), order.end(), 0);
  std::stable_sort(order.begin(), order.end(), [&](auto a, auto b) { return tokens.as<std::int32_t>()[a] < tokens.as<std::int32_t>()[b]; });
  const kernels::EmbeddingBackward a{.dy = bench.random({rows, columns}, dtype),
                                     .tokens = tokens,
                                     .by_token = by_token,
                                     .scale = 11,
                                     .dropout = bench.dropout(rows, 0.3),
                                     .dweight = bench.random({8000, columns}, kFloat)};
  for (auto _ : state) kernels::embedding_backward(bench, a);
  count_bytes(state, rows * columns * size_of(dtype));
}
BENCHMARK(embedding_backward)->Apply(row_shapes);

/// Sequences of one length: rows, heads, head size, length, dtype.
struct AttentionBench {
  Bench bench;
  kernels::AttentionForward forward;
  explicit AttentionBench(const benchmark::State& state) {
    const std::int64_t length = state.range(3), sequences = state.range(0) / length, rows = sequences * length;
    const DType dtype = dtype_of_arg(state, 4);
    const Shape shape{rows, state.range(1), state.range(2)};
    const Tensor begin = bench.tensor({sequences}, DType::kInt32), lengths = bench.tensor({sequences}, DType::kInt32);
    for (std::int64_t b = 0; b < sequences; ++b) {
      begin.as<std::int32_t>()[b] = static_cast<std::int32_t>(b * length);
      lengths.as<std::int32_t>()[b] = static_cast<std::int32_t>(length);
    }
    const RowDropout dropout = bench.dropout(rows, 0.1);
    forward = {.q = bench.random(shape, dtype),
               .k = bench.random(shape, dtype),
               .v = bench.random(shape, dtype),
               .rows = {begin, lengths, begin, lengths, length, length},
               .causal = false,
               .scale = 0.2,
               .dropout = {.rows = dropout, .key_stride = 1024},
               .y = bench.tensor(shape, dtype),
               .lse = bench.tensor({rows, state.range(1)}, kFloat)};
  }
};
std::int64_t attention_flops(const benchmark::State& state, std::int64_t products) {
  return products * 2 * (state.range(0) / state.range(3)) * state.range(3) * state.range(3) * state.range(1) * state.range(2);
}
void attention_forward(benchmark::State& state) {
  AttentionBench attention(state);
  for (auto _ : state) kernels::attention_forward(attention.bench, attention.forward);
  count_flops(state, attention_flops(state, 2));
}
void attention_backward(benchmark::State& state) {
  AttentionBench attention(state);
  const kernels::AttentionForward& f = attention.forward;
  kernels::attention_forward(attention.bench, f);
  const Shape shape = f.q.shape;
  const kernels::AttentionBackward a{.dy = attention.bench.random(shape, f.q.dtype),
                                     .q = f.q,
                                     .k = f.k,
                                     .v = f.v,
                                     .y = f.y,
                                     .lse = f.lse,
                                     .rows = f.rows,
                                     .causal = f.causal,
                                     .scale = f.scale,
                                     .dropout = f.dropout,
                                     .dq = attention.bench.tensor(shape, f.q.dtype),
                                     .dk = attention.bench.tensor(shape, f.q.dtype),
                                     .dv = attention.bench.tensor(shape, f.q.dtype)};
  for (auto _ : state) kernels::attention_backward(attention.bench, a);
  count_flops(state, attention_flops(state, 5));
}
void attention_shapes(benchmark::internal::Benchmark* b) {
  b->UseRealTime()->ArgNames({"rows", "heads", "size", "length", "bf16"});
  for (const std::int64_t bf16 : {0, 1}) {
    b->Args({420, 4, 32, 14, bf16})
        ->Args({84, 4, 32, 14, bf16})
        ->Args({4100, 4, 32, 14, bf16})
        ->Args({4100, 4, 32, 30, bf16})
        ->Args({1024, 8, 64, 30, bf16})
        ->Args({1024, 12, 64, 256, bf16});
    b->Args({2048, 12, 64, 1024, bf16});
  }
}
BENCHMARK(attention_forward)->Apply(attention_shapes);
BENCHMARK(attention_backward)->Apply(attention_shapes);

void cross_entropy(benchmark::State& state) {
  const std::int64_t rows = state.range(0), columns = state.range(1);
  const DType dtype = dtype_of_arg(state, 2);
  Bench bench;
  const kernels::CrossEntropy a{.logits = bench.random({rows, columns}, kFloat),
                                .labels = bench.ints(rows, columns),
                                .weights = bench.random({rows}, kFloat),
                                .label_smoothing = 0.1,
                                .dlogits = bench.tensor({rows, columns}, dtype),
                                .sums = bench.tensor({LossSums::kFields}, DType::kFloat64)};
  for (auto _ : state) kernels::cross_entropy(bench, a);
  count_bytes(state, rows * columns * (size_of(kFloat) + size_of(dtype)));
}
BENCHMARK(cross_entropy)
    ->UseRealTime()
    ->ArgNames({"rows", "columns", "bf16"})
    ->Args({512, 8000, 0})
    ->Args({512, 8000, 1})
    ->Args({128, 32000, 0});

void adam_update(benchmark::State& state) {
  const std::int64_t size = state.range(0);
  Bench bench;
  const Tensor master = bench.random({size}, kFloat);
  const kernels::AdamUpdate a{.gradient = bench.random({size}, kFloat),
                              .master = master,
                              .exp_avg = bench.random({size}, kFloat),
                              .exp_avg_sq = bench.random({size}, kFloat),
                              .value = master};
  std::ranges::fill(a.exp_avg_sq.span<float>(), 1.f);
  for (auto _ : state) kernels::adam_update(bench, a);
  count_bytes(state, 7 * size * size_of(kFloat));
}
BENCHMARK(adam_update)->UseRealTime()->ArgName("size")->Arg(2'300'000)->Arg(31'000'000);

}  // namespace
}  // namespace weft

BENCHMARK_MAIN();

// Times whole training steps of one rank on synthetic sentences: forward, backward, norm, Adam; no data loading.
// usage: training_step tiny|small|base|all [fp32|bf16] [STEPS]      prints target tokens/s, the median of the steps
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstring>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "data/batch_builder.h"
#include "models/transformer.h"
#include "parallel/mesh.h"
#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/table.h"
#include "runtime/random.h"
#include "runtime/step_state.h"
#include "state/gradient_reducer.h"
#include "state/optimizer_shards.h"
#include "training/memory_plan.h"

namespace weft {
namespace {

/// The shapes of common programs to compare with, pre-norm, all embeddings tied.
struct Size {
  std::string name;
  std::int64_t layers, hidden_size, ffn_size, heads, vocabulary;
  std::int64_t tokens, sentence;  // of a side of an update; mean length
};
const std::vector<Size> kSizes = {
    {"tiny", 4, 128, 256, 4, 8000, 4096, 14}, {"small", 3, 256, 1024, 4, 8000, 4096, 14}, {"base", 6, 512, 2048, 8, 32768, 1024, 30}};
constexpr int kWarmUpSteps = 4;

ModelConfig model_of(const Size& size) {
  ModelConfig model;
  model.encoder = model.decoder = {.num_layers = size.layers, .num_heads = size.heads, .ffn_size = size.ffn_size};
  model.hidden_size = size.hidden_size;
  model.norm_position = NormPosition::kPre;
  model.max_length = 4 * size.sentence;
  model.label_smoothing = 0.1;
  model.source_vocab_size = model.target_vocab_size = size.vocabulary;
  return model;
}

/// Sentences of half to one and a half times the mean length, until the side is full.
std::vector<std::vector<std::int32_t>> sentences(const Size& size, const char* side) {
  const RandomKey key = random_key(1, side);
  std::vector<std::vector<std::int32_t>> result;
  std::uint64_t draw = 0;
  for (std::int64_t tokens = 0; tokens < size.tokens;) {
    const auto span = static_cast<std::uint64_t>(size.sentence);
    const auto length = std::min(size.tokens - tokens, size.sentence / 2 + static_cast<std::int64_t>(random_below(key, draw++, span)));
    std::vector<std::int32_t> ids(static_cast<std::size_t>(length));
    for (std::int32_t& id : ids) {
      id = static_cast<std::int32_t>(3 + random_below(key, draw++, static_cast<std::uint64_t>(size.vocabulary - 3)));
    }
    tokens += length;
    result.push_back(std::move(ids));
  }
  return result;
}

std::vector<RowSource> row_sources(const std::vector<std::vector<std::int32_t>>& texts, std::int32_t first) {
  std::vector<RowSource> rows;
  for (const auto& ids : texts) rows.push_back({.tokens = ids, .number = static_cast<std::int64_t>(rows.size()), .first = first});
  return rows;
}

void time_steps(const Size& size, DType dtype, int steps) {
  const KernelTable& kernels = cpu_kernels(instruction_set());
  const MemoryQuestion question{.model = model_of(size), .optimizer = {.max_grad_norm = 0}, .dtype = dtype, .kernels = &kernels};
  const std::int64_t arena_bytes = measure_memory(question, size.tokens).activations;
  CpuDevice device(kernels);
  const Mesh mesh = make_single_mesh();
  ParameterSet parameters(1);
  const std::unique_ptr<TranslationModel> model = make_transformer(question.model, parameters);
  ParameterStorage storage(parameters, *mesh.dp, device, dtype);
  OptimizerShards optimizer(question.optimizer, storage, mesh, device);
  GradientReducer reducer(storage, *mesh.dp);
  const Memory arena_memory = device.allocate(arena_bytes, MemoryKind::kDevice);
  StepArena arena(arena_memory.data(), arena_bytes);
  std::vector<double> state(StepState::kFields), sums(LossSums::kFields);
  Context ctx{device, device.stream(StreamKind::kCompute), arena, Tensor(state.data(), {StepState::kFields}, DType::kFloat64), true};
  storage.initialize(ctx);
  optimizer.initialize(ctx);

  const auto texts = sentences(size, "text");
  const auto count = static_cast<std::int64_t>(texts.size());
  const BatchExtent extent{count, size.tokens, size.tokens, 2 * size.sentence, 2 * size.sentence};
  const Memory batch_memory = device.allocate(batch_bytes(extent), MemoryKind::kDevice);
  const Batch batch = view_batch(batch_memory, extent);
  fill_rows(batch.source, row_sources(texts, -1), size.vocabulary);
  fill_rows(batch.target, row_sources(texts, 1), size.vocabulary);
  std::copy_n(batch.source.tokens.as<std::int32_t>(), size.tokens, batch.labels.as<std::int32_t>());
  std::fill_n(batch.weights.as<float>(), size.tokens, 1.f);

  std::vector<double> seconds;
  for (int step = 1; step <= kWarmUpSteps + steps; ++step) {
    const auto start = std::chrono::steady_clock::now();
    state[StepState::kStep] = step;
    state[StepState::kLearningRate] = 1e-4;
    state[StepState::kLossScale] = 1.0 / static_cast<double>(size.tokens);
    reducer.begin_update(1);
    model->forward_backward(ctx, batch, reducer, Tensor(sums.data(), {LossSums::kFields}, DType::kFloat64));
    reducer.finish(ctx);
    optimizer.update(ctx, reducer.slices());
    if (step > kWarmUpSteps) seconds.push_back(std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count());
  }
  std::sort(seconds.begin(), seconds.end());
  const double median = seconds[seconds.size() / 2];
  fmt::print(
      "{:<6} {:<9} {} threads  {:>7.0f} tokens/s  {:>7.1f} ms a step (fastest {:.1f}, slowest {:.1f})  arena {:.0f} MB  loss {:.3f}\n",
      size.name, name(dtype), omp_get_max_threads(), static_cast<double>(size.tokens) / median, 1e3 * median, 1e3 * seconds.front(),
      1e3 * seconds.back(), static_cast<double>(arena_bytes) / 1e6, sums[LossSums::kLoss] / sums[LossSums::kCount]);
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  const std::string wanted = argc > 1 ? argv[1] : "all";
  const weft::DType dtype = argc > 2 && std::strcmp(argv[2], "bf16") == 0 ? weft::DType::kBFloat16 : weft::DType::kFloat32;
  const int steps = argc > 3 ? std::max(1, std::atoi(argv[3])) : 15;
  for (const weft::Size& size : weft::kSizes) {
    if (wanted == "all" || wanted == size.name) weft::time_steps(size, dtype, steps);
  }
}

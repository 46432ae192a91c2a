// Times whole training steps of one rank on synthetic sentences: forward, backward, norm, Adam; no data loading.
// usage: training_step SIZE|all [fp32|bf16] [STEPS]      of tiny, small, base or base-slice: target tokens/s, the median of the steps
//        training_step keys SIZE [fp32|bf16] [STEPS]     beside itself with one key changed, then all of transformer-modern: steps of the
//                                                        two models alternate; ratios of their medians, in time and in processor time
#include <omp.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <ctime>
#include <functional>
#include <memory>
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

/// The shapes of common programs to compare with, pre-norm, all embeddings tied. A slice has fewer layers of the same size and a smaller
/// vocabulary, for machines that need seconds for a step.
struct Size {
  std::string name;
  std::int64_t layers, hidden_size, ffn_size, heads, vocabulary;
  std::int64_t tokens, sentence;  // of a side of an update; mean length
};
const std::vector<Size> kSizes = {{"tiny", 4, 128, 256, 4, 8000, 4096, 14},
                                  {"small", 3, 256, 1024, 4, 8000, 4096, 14},
                                  {"base", 6, 512, 2048, 8, 32768, 1024, 30},
                                  {"base-slice", 2, 512, 2048, 8, 8000, 1024, 30}};
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

std::vector<double> sorted(std::vector<double> values) {
  std::sort(values.begin(), values.end());
  return values;
}
double median(const std::vector<double>& values) {
  return sorted(values)[values.size() / 2];
}

/// A model of one rank and its batch, ready to step.
class Training {
 public:
  Training(const Size& size, const ModelConfig& config, DType dtype)
      : size_(size),
        kernels_(cpu_kernels(instruction_set())),
        question_{.model = config, .optimizer = {.max_grad_norm = 0}, .dtype = dtype, .kernels = &kernels_},
        arena_bytes_(measure_memory(question_, size.tokens).activations) {
    storage_.initialize(ctx_);
    optimizer_.initialize(ctx_);
    fill_rows(batch_.source, row_sources(texts_, -1), size.vocabulary);
    fill_rows(batch_.target, row_sources(texts_, 1), size.vocabulary);
    std::copy_n(batch_.source.tokens.as<std::int32_t>(), size.tokens, batch_.labels.as<std::int32_t>());
    std::fill_n(batch_.weights.as<float>(), size.tokens, 1.f);
  }

  /// Seconds of one update.
  double step() {
    const auto start = std::chrono::steady_clock::now();
    state_[StepState::kStep] += 1;
    state_[StepState::kLearningRate] = 1e-4;
    state_[StepState::kLossScale] = 1.0 / static_cast<double>(size_.tokens);
    reducer_.begin_update(1);
    model_->forward_backward(ctx_, batch_, reducer_, Tensor(sums_.data(), {LossSums::kFields}, DType::kFloat64));
    reducer_.finish(ctx_);
    optimizer_.update(ctx_, reducer_.slices());
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  }
  std::int64_t arena_bytes() const { return arena_bytes_; }
  std::int64_t parameters() const { return parameters_.elements(); }
  double loss() const { return sums_[LossSums::kLoss] / sums_[LossSums::kCount]; }

 private:
  Size size_;
  const KernelTable& kernels_;
  MemoryQuestion question_;
  std::int64_t arena_bytes_;
  CpuDevice device_{kernels_};
  Mesh mesh_ = make_single_mesh();
  ParameterSet parameters_{1};
  std::unique_ptr<TranslationModel> model_ = make_transformer(question_.model, parameters_);
  ParameterStorage storage_{parameters_, *mesh_.dp, device_, question_.dtype};
  OptimizerShards optimizer_{question_.optimizer, storage_, mesh_, device_};
  GradientReducer reducer_{storage_, *mesh_.dp};
  Memory arena_memory_ = device_.allocate(arena_bytes_, MemoryKind::kDevice);
  StepArena arena_{arena_memory_.data(), arena_bytes_};
  std::vector<double> state_ = std::vector<double>(StepState::kFields), sums_ = std::vector<double>(LossSums::kFields);
  Context ctx_{device_, device_.stream(StreamKind::kCompute), arena_, Tensor(state_.data(), {StepState::kFields}, DType::kFloat64), true};
  std::vector<std::vector<std::int32_t>> texts_ = sentences(size_, "text");
  BatchExtent extent_{static_cast<std::int64_t>(texts_.size()), size_.tokens, size_.tokens, 2 * size_.sentence, 2 * size_.sentence};
  Memory batch_memory_ = device_.allocate(batch_bytes(extent_), MemoryKind::kDevice);
  Batch batch_ = view_batch(batch_memory_, extent_);
};

void time_steps(const Size& size, DType dtype, int steps) {
  Training training(size, model_of(size), dtype);
  for (int i = 0; i < kWarmUpSteps; ++i) training.step();
  std::vector<double> seconds;
  for (int i = 0; i < steps; ++i) seconds.push_back(training.step());
  seconds = sorted(seconds);
  fmt::print(
      "{:<10} {:<9} {} threads  {:>7.0f} tokens/s  {:>7.1f} ms a step (fastest {:.1f}, slowest {:.1f})  arena {:.0f} MB  loss {:.3f}\n",
      size.name, name(dtype), omp_get_max_threads(), static_cast<double>(size.tokens) / median(seconds), 1e3 * median(seconds),
      1e3 * seconds.front(), 1e3 * seconds.back(), static_cast<double>(training.arena_bytes()) / 1e6, training.loss());
}

void each_stack(ModelConfig& model, const std::function<void(StackConfig&)>& change) {
  change(model.encoder);
  change(model.decoder);
}
void gate(ModelConfig& model) {
  model.activation = FfnActivation::kSwiglu;
  each_stack(model, [](StackConfig& stack) { stack.ffn_size = (stack.ffn_size * 2 / 3 + 31) / 32 * 32; });  // 2048: 1376
}
void share_heads(ModelConfig& model, std::int64_t kv_heads) {
  each_stack(model, [&](StackConfig& stack) { stack.num_kv_heads = kv_heads; });
}
void rotate(ModelConfig& model, RotaryPairing pairing) {
  model.positions = Positions::kRope;
  model.rope_pairing = pairing;
}
void modernise(ModelConfig& model) {
  gate(model);
  share_heads(model, 2);
  rotate(model, RotaryPairing::kHalf);
  model.norm = NormKind::kRmsNorm;
  model.bias = false;
}

/// Seconds of steps. Processor time is that of all threads: on one thread it hardly depends on what else runs.
struct Times {
  std::vector<double> wall, processor;

  void add(Training& training) {
    const std::clock_t start = std::clock();
    wall.push_back(training.step());
    processor.push_back(static_cast<double>(std::clock() - start) / CLOCKS_PER_SEC);
  }
};

struct Changed {
  std::string name;
  std::function<void(ModelConfig&)> change;
};

/// The plain model and one other take turns, so that both meet the same machine.
void compare_keys(const Size& size, DType dtype, int steps) {
  const std::vector<Changed> all{{"(nothing)", [](ModelConfig&) {}},
                                 {"norm: rms_norm", [](ModelConfig& m) { m.norm = NormKind::kRmsNorm; }},
                                 {"activation: gelu", [](ModelConfig& m) { m.activation = FfnActivation::kGelu; }},
                                 {"activation: swiglu, ffn_size x 2/3", gate},
                                 {"positions: rope", [](ModelConfig& m) { rotate(m, RotaryPairing::kHalf); }},
                                 {"rope_pairing: interleaved", [](ModelConfig& m) { rotate(m, RotaryPairing::kInterleaved); }},
                                 {"positions: alibi", [](ModelConfig& m) { m.positions = Positions::kAlibi; }},
                                 {"num_kv_heads: 2", [](ModelConfig& m) { share_heads(m, 2); }},
                                 {"num_kv_heads: 1", [](ModelConfig& m) { share_heads(m, 1); }},
                                 {"bias: false", [](ModelConfig& m) { m.bias = false; }},
                                 {"transformer-modern", modernise}};
  Training plain(size, model_of(size), dtype);
  for (int i = 0; i < kWarmUpSteps; ++i) plain.step();
  fmt::print("{} {} {} threads: plain, {:.1f} M parameters, arena {:.0f} MB\n", size.name, name(dtype), omp_get_max_threads(),
             static_cast<double>(plain.parameters()) / 1e6, static_cast<double>(plain.arena_bytes()) / 1e6);
  std::fflush(stdout);
  for (const Changed& changed : all) {
    ModelConfig config = model_of(size);
    changed.change(config);
    Training other(size, config, dtype);
    other.step();
    Times before, after;
    for (int i = 0; i < steps; ++i) {
      before.add(plain);
      after.add(other);
    }
    fmt::print("{:<35} {:>7.1f} ms, plain {:>7.1f} ms, time x {:.3f}, processor time x {:.3f}  {:.1f} M parameters, arena {:.0f} MB\n",
               changed.name, 1e3 * median(after.wall), 1e3 * median(before.wall), median(after.wall) / median(before.wall),
               median(after.processor) / median(before.processor), static_cast<double>(other.parameters()) / 1e6,
               static_cast<double>(other.arena_bytes()) / 1e6);
    std::fflush(stdout);
  }
}

}  // namespace
}  // namespace weft

int main(int argc, char** argv) {
  std::vector<std::string> words(argv + 1, argv + argc);
  const bool keys = !words.empty() && words[0] == "keys";
  if (keys) words.erase(words.begin());
  const std::string wanted = words.empty() ? "all" : words[0];
  const weft::DType dtype = words.size() > 1 && words[1] == "bf16" ? weft::DType::kBFloat16 : weft::DType::kFloat32;
  const int steps = words.size() > 2 ? std::max(1, std::atoi(words[2].c_str())) : 15;
  for (const weft::Size& size : weft::kSizes) {
    if (wanted == "all" || wanted == size.name) (keys ? weft::compare_keys : weft::time_steps)(size, dtype, steps);
  }
}

#include "tests/state/small_state.h"

#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"
#include "state/state_boxes.h"

namespace weft::test {
namespace {

/// Any bits but NaN: 24 bits as a float in [-1, 1).
float number(RandomKey key, std::uint64_t index) {
  return static_cast<float>(static_cast<double>(random_bits(key, index) >> 40) * 0x1p-23 - 1);
}

template <class Real>
void fill(Tensor data, RandomKey key) {
  std::uint64_t index = 0;
  for (Real& element : data.span<Real>()) element = static_cast<Real>(number(key, index++));
}

template <class Real>
bool equals(Tensor data, RandomKey key) {
  std::uint64_t index = 0;
  for (const Real element : data.span<Real>()) {
    if (element != static_cast<Real>(number(key, index++))) return false;
  }
  return true;
}

RandomKey key_of(const StateBox& state, std::int64_t step) {
  return random_key(static_cast<std::uint64_t>(step), state.name);
}

}  // namespace

SmallState::SmallState(const Options& options) {
  ParameterScope embeddings(set_, "embeddings", 0), layer(set_, "encoder.layers.0", 1);
  embeddings.add("token.weight", {options.vocabulary, 6}, Init::normal(0.02));
  embeddings.add_constant("positions", {4, 6}, Init::sinusoidal());
  layer.add_fused({{"self_attn.q_proj.weight", 6}, {"self_attn.k_proj.weight", 6}, {"self_attn.v_proj.weight", 6}}, 6,
                  Init::xavier_uniform(), true);
  layer.add_fused({{"self_attn.q_proj.bias", 6}, {"self_attn.k_proj.bias", 6}, {"self_attn.v_proj.bias", 6}}, 0, Init::zeros(), false);
  if (options.extra_tensor) layer.add("extra.weight", {2, 3}, Init::zeros());
  set_.lay_out();
  storage_ = std::make_unique<ParameterStorage>(set_, *mesh_.dp, ctx_.context().device, options.dtype);
  storage_->initialize(ctx_);
  shards_ = std::make_unique<OptimizerShards>(options.optimizer, *storage_, ctx_.context().device);
  shards_->initialize(ctx_);
}

void SmallState::set(std::int64_t step) {
  for (const StateBox& state : boxes_to_save(set_, *shards_, 0)) {
    if (state.data.dtype == DType::kFloat64) {
      fill<double>(state.data, key_of(state, step));
    } else {
      fill<float>(state.data, key_of(state, step));
    }
  }
  storage_->make_values(ctx_);
}

bool SmallState::is(std::int64_t step) {
  for (const StateBox& state : boxes_to_save(set_, *shards_, 0)) {
    const RandomKey key = key_of(state, step);
    if (!(state.data.dtype == DType::kFloat64 ? equals<double>(state.data, key) : equals<float>(state.data, key))) return false;
  }
  if (storage_->values().dtype != DType::kBFloat16) return true;
  const auto values = storage_->values().span<bfloat16>();
  const auto masters = storage_->masters().span<float>();
  for (std::size_t i = 0; i < masters.size(); ++i) {
    if (values[i].bits != bfloat16(masters[i]).bits) return false;
  }
  return true;
}

Json SmallState::run_state(std::int64_t step) {
  Json json;
  json.set("step", step);
  json.set("loss", 1.0 / static_cast<double>(step + 3));
  json.set("best", Json::Array{"bleu", 24.5, Json()});
  return json;
}

Saver::Setup SmallState::setup(Storage& storage, const CheckpointConfig& config) {
  RunIdentity run{.seed = 0xffffffffffffffffu, .config = "task: translation\nseed: 1\n", .version = "test"};
  run.layout.set("world", 1);
  run.fingerprints.set("corpus", "abc");
  run.chosen = Json::object();
  return {storage, mesh_, ctx_.context().device, log_, set_, *shards_, config, kRunDir, std::move(run)};
}

std::int64_t SmallState::load(Storage& storage, const std::string& run_dir) {
  const std::optional<Resumed> resumed = load_newest(storage, run_dir, *mesh_.control, log_, target());
  if (!resumed) return -1;
  if (!is(resumed->step)) fail(fmt::format("what was loaded is not the state of step {}", resumed->step));
  if (!(resumed->run_state == run_state(resumed->step))) fail(fmt::format("the run state is not that of step {}", resumed->step));
  return resumed->step;
}

bool save(SmallState& state, Saver& saver, std::int64_t step) {
  state.set(step);
  saver.start(step, SmallState::run_state(step));
  saver.finish();
  return saver.committed_step() == step;
}

}  // namespace weft::test

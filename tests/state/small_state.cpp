#include "tests/state/small_state.h"

#include <utility>

#include <fmt/format.h>

#include "runtime/error.h"
#include "state/checkpoint/state_boxes.h"

namespace weft::test {
namespace {

/// Element `index` of the whole tensor at `step`, wherever it lies: 24 bits as a float in [-1, 1).
float number(RandomKey key, std::int64_t index) {
  return static_cast<float>(static_cast<double>(random_bits(key, static_cast<std::uint64_t>(index)) >> 40) * 0x1p-23 - 1);
}

/// Calls visit(element in the box, its expected number) for all elements.
template <class Visit>
void visit_numbers(const StateBox& state, std::int64_t step, Visit visit) {
  const RandomKey key = random_key(static_cast<std::uint64_t>(step), state.name);
  const bool matrix = state.shape.dims() == 2;
  const std::int64_t columns = matrix ? state.box.size[1] : 1, first_column = matrix ? state.box.begin[1] : 0;
  for (std::int64_t element = 0; element < elements(state.box); ++element) {
    const std::int64_t row = state.box.begin[0] + element / columns, column = first_column + element % columns;
    visit(element, number(key, row * (matrix ? state.shape[1] : 1) + column));
  }
}

/// Ranks that exist in name only: a save never sends tensors.
class NamedRank : public Communicator {
 public:
  NamedRank(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  Memory allocate(Device&, std::int64_t) override { fail("a rank in name only"); }
  void all_reduce(Stream&, Tensor) override { fail("a rank in name only"); }
  void reduce_scatter(Stream&, Tensor, Tensor) override { fail("a rank in name only"); }
  void all_gather(Stream&, Tensor, Tensor) override { fail("a rank in name only"); }
  void broadcast(Stream&, Tensor, int) override { fail("a rank in name only"); }
  void barrier(Stream&) override { fail("a rank in name only"); }

 private:
  int rank_, size_;
};

/// Another rank's Control, as one that the mesh may own.
class BorrowedControl : public Control {
 public:
  explicit BorrowedControl(Control& control) : control_(control) {}
  int rank() const override { return control_.rank(); }
  int size() const override { return control_.size(); }
  std::string broadcast(std::string bytes, int root) override { return control_.broadcast(std::move(bytes), root); }
  std::vector<std::string> gather(std::string bytes, int root) override { return control_.gather(std::move(bytes), root); }
  std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) override { return control_.agree(std::move(votes)); }

 private:
  Control& control_;
};

}  // namespace

SmallState::SmallState(const Options& options) : options_(options) {
  if (options.control != nullptr) {
    mesh_.tp = std::make_unique<NamedRank>(options.tp_rank, options.tp_size);
    mesh_.control = std::make_unique<BorrowedControl>(*options.control);
  }
  ParameterScope embeddings(set_, "embeddings", 0), layer(set_, "encoder.layers.0", 1);
  add_cut(0, {"embeddings.token.weight"}, {options.vocabulary, 6}, 1, false);
  embeddings.add_constant("positions", {4, 6}, Init::sinusoidal());
  const std::string attention = "encoder.layers.0.self_attn.";
  add_cut(1, {attention + "q_proj.weight", attention + "k_proj.weight", attention + "v_proj.weight"}, {6, 6}, 0, true);
  add_cut(1, {attention + "q_proj.bias", attention + "k_proj.bias", attention + "v_proj.bias"}, {6}, 0, false);
  layer.add("norm1.weight", {6}, Init::ones());
  if (options.extra_tensor) layer.add("extra.weight", {2, 3}, Init::zeros());
  set_.lay_out();
  storage_ = std::make_unique<ParameterStorage>(set_, *mesh_.dp, ctx_.context().device, options.dtype);
  storage_->initialize(ctx_);
  shards_ = std::make_unique<OptimizerShards>(options.optimizer, *storage_, mesh_, ctx_.context().device);
  shards_->initialize(ctx_);
}

/// One parameter of several parts of one shape, each cut over the tensor-parallel ranks along `dim`.
void SmallState::add_cut(BlockId block, const std::vector<std::string>& names, Shape shape, int dim, bool decayed) {
  Box box = whole_box(shape);
  box.size[dim] /= options_.tp_size;
  box.begin[dim] = options_.tp_rank * box.size[dim];
  Parameter parameter{.shape = box.size, .init = Init::normal(0.02), .decayed = decayed, .block = block};
  for (const std::string& name : names) {
    parameter.parts.push_back({name, shape, box, static_cast<std::int64_t>(parameter.parts.size()) * box.size[0]});
  }
  parameter.shape[0] *= static_cast<std::int64_t>(names.size());
  set_.add(std::move(parameter));
}

void SmallState::set(std::int64_t step) {
  for (const StateBox& state : boxes_to_load(set_, *shards_)) {
    visit_numbers(state, step, [&](std::int64_t element, float expected) {
      if (state.data.dtype == DType::kFloat64) {
        state.data.as<double>()[element] = static_cast<double>(expected);
      } else {
        state.data.as<float>()[element] = expected;
      }
    });
  }
  storage_->make_values(ctx_);
}

bool SmallState::is(std::int64_t step) {
  bool same = true;
  for (const StateBox& state : boxes_to_load(set_, *shards_)) {
    visit_numbers(state, step, [&](std::int64_t element, float expected) {
      same = same && (state.data.dtype == DType::kFloat64 ? state.data.as<double>()[element] == static_cast<double>(expected)
                                                          : state.data.as<float>()[element] == expected);
    });
  }
  if (storage_->values().dtype != DType::kBFloat16) return same;
  const auto values = storage_->values().span<bfloat16>();
  const auto masters = storage_->masters({0, storage_->parameters().elements()}).span<float>();
  for (std::size_t i = 0; i < masters.size(); ++i) same = same && values[i].bits == bfloat16(masters[i]).bits;
  return same;
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

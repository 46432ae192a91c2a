#include "tests/training/mortal_run.h"

#include <omp.h>

#include <memory>
#include <utility>

#include <fmt/format.h>

#include "parallel/threads/thread_communicator.h"
#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "training/memory_plan.h"
#include "training/trainer.h"

namespace weft::test {
namespace {

constexpr std::int64_t kBatchTokens = 120, kMicroBatchRows = 60;
constexpr std::uint64_t kSeed = 11;

struct Killed {};

/// Passes messages on until the rank is dead.
class MortalControl : public Control {
 public:
  MortalControl(std::unique_ptr<Control> inner, const FaultyStorage& storage, Fate fate, std::atomic<std::int64_t>& messages)
      : inner_(std::move(inner)), storage_(storage), fate_(fate), messages_(messages) {}
  int rank() const override { return inner_->rank(); }
  int size() const override { return inner_->size(); }
  std::string broadcast(std::string bytes, int root) override {
    live();
    return inner_->broadcast(std::move(bytes), root);
  }
  std::vector<std::string> gather(std::string bytes, int root) override {
    live();
    return inner_->gather(std::move(bytes), root);
  }
  std::vector<std::int64_t> agree(std::vector<std::int64_t> votes) override {
    live();
    return inner_->agree(std::move(votes));
  }

 private:
  /// A rank whose writer thread was killed is dead as a whole.
  void live() {
    const bool dead = fate_.storage_call > 0 && storage_.happened();
    if (++messages_ == fate_.message || dead) throw Killed();
  }
  std::unique_ptr<Control> inner_;
  const FaultyStorage& storage_;
  const Fate fate_;
  std::atomic<std::int64_t>& messages_;
};

ModelConfig model_config() {
  ModelConfig model;
  model.encoder = model.decoder = {.num_layers = 1, .num_heads = 4, .ffn_size = 16};
  model.hidden_size = 8;
  model.max_length = 16;
  model.dropout = model.attention_dropout = model.activation_dropout = 0.1;
  model.label_smoothing = 0.1;
  model.source_vocab_size = model.target_vocab_size = 100;
  return model;
}

OptimizerConfig optimizer_config() {
  return {.ema_decay = 0.9};
}

TrainingConfig training_config(std::int64_t steps) {
  TrainingConfig training;
  training.batch_size = kBatchTokens;
  training.schedule.warmup_steps = 4;
  training.limits.train_steps = steps;
  training.report_freq = training.valid_freq = {};
  training.save_freq = {Frequency::Unit::kUpdates, MortalRun::kSaveEvery};
  return training;
}

}  // namespace

MortalRun::MortalRun() {
  for (const Grid grid : kGrids) {
    const MemoryQuestion question{.model = model_config(),
                                  .optimizer = optimizer_config(),
                                  .dtype = DType::kFloat32,
                                  .kernels = &cpu_kernels(instruction_set()),
                                  .parallel = {},
                                  .grid = grid};
    arena_bytes_[{grid.data, grid.tensor}] = measure_memory(question, kMicroBatchRows).activations;
  }
}

SamplerConfig MortalRun::sampler() const {
  return {.seed = kSeed, .batch_size = kBatchTokens, .bucket_size = 50};
}

bool MortalRun::start(MemoryStorage& storage, Grid grid, const Fate& fate, History& history, const std::string& other_run_dir) {
  std::atomic<bool> died = false;
  try {
    run_ranks(grid.data * grid.tensor, {.tensor = grid.tensor}, [&](Mesh& mesh) {
      const int rank = mesh.control->rank();
      const bool mortal = rank == fate.rank;
      FaultyStorage own(storage, {fate.kind, mortal ? fate.storage_call : 0, EIO});
      std::atomic<std::int64_t> messages = 0;
      mesh.control = std::make_unique<MortalControl>(std::move(mesh.control), own, mortal ? fate : Fate{}, messages);
      try {
        train(mesh, own, history, other_run_dir);
      } catch (const Killed&) {
        died = true;
        throw;
      } catch (const std::exception&) {
        died = died || (mortal && fate.storage_call > 0 && own.happened());
        throw;
      }
      if (rank != 0) return;
      history.storage_calls = own.calls();
      history.messages = messages;
    });
  } catch (const Killed&) {  // the first of all failures
  } catch (const std::exception&) {
    if (!died) throw;
  }
  return !died;
}

void MortalRun::train(Mesh& mesh, Storage& storage, History& history, const std::string& other_run_dir) {
  omp_set_num_threads(1);
  const bool root = mesh.control->rank() == 0;
  Log log(Log::Options{.to_stderr = false});
  if (root) remove_leftovers(storage, run_dir, log);
  mesh.control->agree({0});
  std::optional<FoundCheckpoint> found = find_newest(storage, run_dir, *mesh.control, log);
  const std::int64_t at = found ? found->reader.manifest().step : -1;
  if (root && at < history.committed) fail(fmt::format("step {} was committed, and step {} is found", history.committed, at));
  if (!found && !other_run_dir.empty()) found = find_newest(storage, other_run_dir, *mesh.control, log);

  CpuDevice device(cpu_kernels(instruction_set()));
  Progress progress;
  Json layout = Json::object();
  layout.set("data", mesh.dp->size()).set("tensor", mesh.tp->size());
  Trainer* running = nullptr;
  Trainer trainer(
      {.run_dir = run_dir,
       .seed = kSeed,
       .model = model_config(),
       .training = training_config(steps),
       .optimizer = optimizer_config(),
       .checkpoint = {},
       .parallel = {},
       .dtype = DType::kFloat32,
       .bucket_size = sampler().bucket_size,
       .shuffle = true,
       .device = device,
       .mesh = mesh,
       .progress = progress,
       .storage = storage,
       .log = log,
       .train = *data_,
       .micro_batch_rows = kMicroBatchRows,
       .arena_bytes = arena_bytes_.at({mesh.dp->size(), mesh.tp->size()}),
       .identity = {.seed = kSeed, .layout = layout, .fingerprints = Json::object(), .chosen = Json::object(), .config = "", .version = ""},
       .stop_requested = [&] {  // asked once a step, after it
         if (!root) return false;
         history.position[running->state().counts.step] = running->state().position;
         history.committed = std::max(history.committed, progress.committed.load());
         return false;
       }});
  running = &trainer;
  trainer.start(found ? &*found : nullptr);
  trainer.run();
  if (root) history.committed = std::max(history.committed, steps);
}

}  // namespace weft::test

#include <fmt/format.h>

#include "launcher/machine.h"
#include "launcher/run_directory_setup.h"
#include "launcher/signals.h"
#include "launcher/verbs.h"
#include "launcher/version.h"
#include "runtime/error.h"
#include "state/run_directory.h"
#include "state/run_lock.h"
#include "training/memory_plan.h"
#include "training/trainer.h"

namespace weft {
namespace {

ModelConfig with_vocabularies(ModelConfig model, const PreparedData& data) {
  model.source_vocab_size = data.source.size();
  model.target_vocab_size = data.target.size();
  return model;
}

/// The most rows of one side in one update.
std::int64_t batch_rows(const Config& config) {
  const TrainingConfig& training = config.training;
  return training.batch_type == BatchType::kTokens ? training.batch_size : training.batch_size * config.model.max_length;
}

MemoryPlan plan_memory(const Config& config, const ModelConfig& model, const Machine& machine, const Json* recorded) {
  const MemoryQuestion question{.model = model, .optimizer = config.optimizer, .dtype = machine.dtype, .kernels = machine.kernels};
  const auto limit = static_cast<std::int64_t>(config.parallel.memory_limit * static_cast<double>(available_host_memory()));
  std::int64_t rows = config.training.micro_batch_size;
  if (rows == 0 && recorded != nullptr) rows = recorded->at("micro_batch_rows").as_int();
  const MemoryPlan plan = rows > 0 ? measure_memory(question, rows) : fit_micro_batch(question, batch_rows(config), limit);
  if (plan.total() <= limit) return plan;
  fail_input(
      fmt::format("does not fit: {}\n  found     {} of memory, of which parallel.memory_limit = {} allows {}\n  expected  a smaller "
                  "training.micro_batch_size, training.recompute: block, or a smaller model",
                  describe(plan), bytes_text(available_host_memory()), config.parallel.memory_limit, bytes_text(limit)));
}

void say_start(Log& log, const Config& config, const Machine& machine, const MemoryPlan& memory) {
  log.info("config", fmt::format("1 rank, {} threads, {}, {} ({}), {:.1f} M parameters", machine.threads, machine.kernels->name,
                                 name(machine.dtype), machine.reason, static_cast<double>(memory.parameters) / 1e6));
  log.info("config", fmt::format("update = up to {} {}: passes of up to {} tokens a side", config.training.batch_size,
                                 config.training.batch_type == BatchType::kTokens ? "tokens" : "sentences", memory.micro_batch_rows));
  log.info("memory", fmt::format("{}; {} of memory", describe(memory), bytes_text(available_host_memory())));
}

void say_resume(Log& log, const std::optional<FoundCheckpoint>& found, const std::string& run_dir, const Json& chosen) {
  if (!found) return log.info("resume", fmt::format("none found in {}: starting at step 0", run_dir));
  const Manifest& manifest = found->reader.manifest();
  const std::string changed = differences(manifest.run.chosen, chosen);
  log.info("resume", fmt::format("step {} from {}, {}", manifest.step, found->reader.folder(),
                                 changed.empty() ? "bit for bit" : "within tolerance, not bit for bit: " + changed));
}

}  // namespace

int run_train(const Config& config, const CommandLine&) {
  install_stop_signals();
  make_run_directory(config.run_dir);
  const RunLock lock(config.run_dir);
  Log log;
  log.add_file(config.run_dir + "/train.log");
  const std::unique_ptr<Storage> storage = make_posix_storage();
  remove_leftovers(*storage, config.run_dir, log);

  Mesh mesh = make_single_mesh();
  const std::string folder = prepare_when_needed(config, log);
  const PreparedData data = open_prepared(folder, config.vocab);
  const ModelConfig model = with_vocabularies(config.model, data);
  const Json data_fingerprints = fingerprints(data);
  const std::optional<FoundCheckpoint> found = find_start(config, *storage, *mesh.control, log);
  const RunIdentity* recorded = found ? &found->reader.manifest().run : nullptr;
  if (found) require_same_data(recorded->fingerprints, data_fingerprints, found->reader.folder());

  const Machine machine = choose_machine(config, recorded ? &recorded->chosen : nullptr);
  const MemoryPlan memory = plan_memory(config, model, machine, recorded ? &recorded->chosen : nullptr);
  const Json chosen = choices(machine, memory.micro_batch_rows);
  say_start(log, config, machine, memory);
  say_resume(log, found, config.run_dir, chosen);
  write_run_files(config, data, folder);

  Json layout = Json::object();
  layout.set("world", mesh.world->size()).set("data", mesh.dp->size()).set("tensor", mesh.tp->size());
  CpuDevice device(*machine.kernels);
  Trainer trainer({.run_dir = config.run_dir,
                   .seed = static_cast<std::uint64_t>(config.seed),
                   .model = model,
                   .training = config.training,
                   .optimizer = config.optimizer,
                   .checkpoint = config.checkpoint,
                   .parallel = config.parallel,
                   .dtype = machine.dtype,
                   .bucket_size = config.data.bucket_size,
                   .shuffle = config.data.shuffle,
                   .device = device,
                   .mesh = mesh,
                   .storage = *storage,
                   .log = log,
                   .train = data.train,
                   .valid = data.valid ? &*data.valid : nullptr,
                   .micro_batch_rows = memory.micro_batch_rows,
                   .arena_bytes = memory.activations,
                   .identity = {.seed = static_cast<std::uint64_t>(config.seed),
                                .layout = layout,
                                .fingerprints = data_fingerprints,
                                .chosen = chosen,
                                .config = dump_config(config),
                                .version = kVersion},
                   .stop_requested = stop_requested});
  trainer.start(found ? &*found : nullptr);
  return static_cast<int>(trainer.run());
}

}  // namespace weft

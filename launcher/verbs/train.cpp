#include <algorithm>
#include <exception>
#include <iterator>
#include <memory>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "launcher/config/changes.h"
#include "launcher/config/checks.h"
#include "launcher/ranks/bf16_probe.h"
#include "launcher/ranks/crash_handler.h"
#include "launcher/ranks/job.h"
#include "launcher/ranks/machine.h"
#include "launcher/ranks/memory_question.h"
#include "launcher/ranks/signals.h"
#include "launcher/ranks/together.h"
#include "launcher/start/read.h"
#include "launcher/verbs.h"
#include "launcher/verbs/model_path.h"
#include "launcher/verbs/run_directory_setup.h"
#include "launcher/version.h"
#include "runtime/error.h"
#include "runtime/files/checksum.h"
#include "runtime/log.h"
#include "state/checkpoint/run_directory.h"
#include "state/checkpoint/run_lock.h"
#include "training/available_memory.h"
#include "training/trainer.h"

namespace weft {
namespace {

constexpr double kAliveSeconds = 1;

ModelConfig with_vocabularies(ModelConfig model, const PreparedData& data) {
  model.source_vocab_size = data.source.size();
  model.target_vocab_size = data.target.size();
  return model;
}

MemoryPlan plan_memory(const Config& config, const ModelConfig& model, const Machine& machine, const Job& job, std::int64_t recorded_rows) {
  const MemoryQuestion question = memory_question(config, model, machine, job.size());
  const std::int64_t share = available_host_memory() / job.ranks_on_host();
  const auto limit = static_cast<std::int64_t>(config.parallel.memory_limit * static_cast<double>(share));
  const std::int64_t rows = config.training.micro_batch_size > 0 ? config.training.micro_batch_size : recorded_rows;
  MemoryPlan plan = rows > 0 ? measure_memory(question, rows) : fit_micro_batch(question, batch_rows(config), limit);
  if (plan.total() <= limit) return plan;
  fail_input(
      fmt::format("does not fit: {}\n  found     {} of memory a rank, of which parallel.memory_limit = {} allows {}\n  expected  a "
                  "smaller training.micro_batch_size, training.recompute: block, or a smaller model",
                  describe(plan), bytes_text(share), config.parallel.memory_limit, bytes_text(limit)));
}

void say_start(Log& log, const Config& config, const Machine& machine, const Job& job, const MemoryPlan& memory) {
  const int ranks = job.size();
  log.info("config", fmt::format("{} rank{} x {} thread{}, zero_stage {}, {}, {} ({}), {:.1f} M parameters", ranks, ranks == 1 ? "" : "s",
                                 machine.threads, machine.threads == 1 ? "" : "s", config.parallel.zero_stage, machine.kernels->name,
                                 name(machine.dtype), machine.reason, static_cast<double>(memory.parameters) / 1e6));
  log.info("config", fmt::format("update = up to {} {} of all ranks: passes of up to {} tokens a side and rank", config.training.batch_size,
                                 config.training.batch_type == BatchType::kTokens ? "tokens" : "sentences", memory.micro_batch_rows));
  log.info("memory", fmt::format("rank 0: {}; {} of memory on this host", describe(memory), bytes_text(available_host_memory())));
  if (!config.data.prepared.empty() && config.data.valid.given()) {
    log.warn_once("config", "data.valid: not read, data.prepared has its own");
  }
  if (!job.slow_transport().empty()) log.warn_once("config", job.slow_transport());
  const std::string crowded = oversubscription(job.ranks_on_host(), machine.threads);
  if (!crowded.empty()) log.warn_once("config", crowded);
  const std::string advice = job.is_root() ? bf16_advice(machine) : "";
  if (!advice.empty()) log.info("config", advice);
}

void say_short(Log& log, const TrainingConfig& training, const Dataset& data) {
  const EpochSize epoch = epoch_size(data, training.batch_type, training.batch_size);
  const std::string note = warmup_note(training.limits, training.schedule.warmup_steps, epoch);
  if (!note.empty()) log.warn_once("config", note);
}

void say_resume(Log& log, const std::optional<FoundCheckpoint>& found, const std::string& run_dir, const std::string& changed) {
  if (!found) return log.info("resume", fmt::format("none found in {}: starting at step 0", run_dir));
  log.info("resume", fmt::format("step {} from {}, {}", found->reader.manifest().step, found->reader.folder(),
                                 changed.empty() ? "bit for bit" : "within tolerance, not bit for bit: " + changed));
}

Json layout_of(Mesh& mesh, const ParallelConfig& config) {
  Json layout = Json::object();
  layout.set("world", mesh.world->size()).set("data", mesh.dp->size()).set("tensor", mesh.tp->size());
  layout.set("zero_stage", config.zero_stage);
  return layout;
}

/// What rank 0 does for all, the others waiting: the directory, its lock, the text.
struct RunDirectory {
  std::optional<RunLock> lock;
  std::optional<RunFiles> files;  // of rank 0
  std::string initial;            // the checkpoint that the weights come from; empty: none
  std::string data;               // the prepared folder

  RunDirectory(const Config& config, Job& job, Storage& storage, Log& log) {
    const auto set_up = [&] {
      make_run_directory(config.run_dir);
      lock.emplace(config.run_dir);
      files.emplace(config.run_dir, !list_steps(storage, config.run_dir).empty());
      files->require_own("config.yaml", dump_config(config));
      log.add_file(config.run_dir + "/train.log");
      remove_leftovers(storage, config.run_dir, log);
      initial = find_initial(config, *files, storage, log);
      const bool uses_its_vocabulary = !initial.empty() && config.vocab.src.empty() && config.vocab.tgt.empty();
      const VocabularyFiles vocabularies = uses_its_vocabulary ? find_vocabularies(initial, config.vocab.share_vocab) : VocabularyFiles{};
      data = prepare_when_needed(config, *files, vocabularies, storage, log);
    };
    on_root_at_length(job.control(), {.seconds = kAliveSeconds, .body = set_up, .alive = [&] { job.progress().pass += 1; }});
    data = job.control().broadcast(data, 0);
    initial = job.control().broadcast(initial, 0);
    job.progress().pass = 0;
  }
};

std::optional<TranslationValidation> translations_of(const Config& config, const PreparedData& data) {
  if (!data.valid || !translates_validation(config.training)) return std::nullopt;
  TranslationValidation validation{.source = data.source,
                                   .target = data.target,
                                   .text = data.valid_text,
                                   .decoding = config.decoding,
                                   .max_length = config.model.max_length,
                                   .metrics = {},
                                   .tokenizer = config.training.tokenize,
                                   .folder = config.run_dir + "/valid"};
  std::ranges::copy_if(config.training.valid_metrics, std::back_inserter(validation.metrics), judges_translations);
  return validation;
}

int run_on_ranks(const Config& config, Job& job) {
  install_stop_signals();
  share_cores(job.ranks_on_host());
  Log log = make_log(job);
  const std::unique_ptr<Storage> storage = make_posix_storage();
  RunDirectory directory(config, job, *storage, log);
  defer_stops();
  const StopNotice notice([&log] { log.info("stop", "asked to stop: saves after the running pass or group of lines"); });
  install_crash_handler(job.progress(), job.rank(), job.host());

  std::optional<PreparedData> data;
  together(job.control(), [&] {
    data = open_prepared(directory.data, config.vocab);
    require_fitting(config, *data, directory.data);
  });
  const Json data_fingerprints = fingerprints(*data);
  require_same(job.control(), "corpus or vocabulary", data_fingerprints.dump());
  const std::string validation = validation_fingerprint(*data);
  require_same(job.control(), "validation text", validation);
  std::optional<FoundCheckpoint> found = find_start(config, *storage, job.control(), log);
  std::optional<CheckpointReader> initial;
  together(job.control(), [&] {
    if (found || directory.initial.empty()) return;
    initial.emplace(*storage, directory.initial);
    verify_weights(*initial);
    require_initial_vocabularies(*initial, data_fingerprints);
  });
  const RunIdentity* recorded = found ? &found->reader.manifest().run : nullptr;
  const Reset reset = found ? pending_reset(config.checkpoint, found->reader.manifest()) : Reset{};
  const Json layout = layout_of(job.mesh(), config.parallel);
  const bool same_layout = recorded != nullptr && recorded->layout == layout;

  const ModelConfig model = with_vocabularies(config.model, *data);
  Machine machine;
  MemoryPlan memory;
  together(job.control(), [&] {
    if (found) require_same_data(recorded->fingerprints, data_fingerprints, found->reader.folder(), reset.data);
    if (found) require_same_model(recorded->config, config, found->reader.folder());
    if (!data->valid) require_no_validation_keys(config, directory.data);
    machine = choose_machine(config, recorded ? &recorded->chosen : nullptr);
    memory = plan_memory(config, model, machine, job, same_layout ? recorded->chosen.at("micro_batch_rows").as_int() : 0);
  });
  const Json chosen = choices(machine, memory.micro_batch_rows);
  require_same(job.control(), "choice of kernels, threads or number format", chosen.dump());
  say_start(log, config, machine, job, memory);
  say_short(log, config.training, data->train);
  std::string changed;
  if (recorded != nullptr) {
    for (const std::string& text :
         {differences(recorded->layout, layout), differences(recorded->chosen, chosen), changes_of(recorded->config, config).numbers,
          reset == Reset{} ? "" : "starts anew: " + describe(reset)}) {
      if (!text.empty()) changed += (changed.empty() ? "" : ", ") + text;
    }
  }
  say_resume(log, found, config.run_dir, changed);

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
                   .mesh = job.mesh(),
                   .progress = job.progress(),
                   .storage = *storage,
                   .log = log,
                   .train = data->train,
                   .valid = data->valid ? &*data->valid : nullptr,
                   .validation = validation,
                   .tokenize = std::string(name(config.training.tokenize)),
                   .translations = translations_of(config, *data),
                   .micro_batch_rows = memory.micro_batch_rows,
                   .arena_bytes = memory.arena(),
                   .identity = {.seed = static_cast<std::uint64_t>(config.seed),
                                .layout = layout,
                                .fingerprints = data_fingerprints,
                                .chosen = chosen,
                                .config = dump_config(config),
                                .version = kVersion},
                   .stop_requested = stop_requested});
  trainer.start(found ? &*found : nullptr, initial ? &*initial : nullptr);
  on_root(job.control(), [&] { write_run_files(*directory.files, config, *data, directory.data); });
  found.reset();  // its files, once pruned, would keep their space as long as they are open
  const int code = static_cast<int>(trainer.run());
  job.progress().phase = Phase::kEnd;
  return code;
}

/// The configuration as this rank reads it. What is wrong with it waits until all ranks can end with it.
struct OwnConfig {
  LoadedConfig loaded;
  std::exception_ptr failure;
};

OwnConfig read_own(const ConfigOptions& options) {
  OwnConfig own;
  try {
    own.loaded = load_config(options.files, options.sets, ConfigUse::kTrain);
  } catch (const Error&) {
    own.failure = std::current_exception();
  }
  return own;
}

/// Of the file that runs here: hosts may have other builds of one version.
std::string program_checksum() {
  return checksum(read_whole_file("/proc/self/exe")).hex();
}

int run_train(const ConfigOptions& options) {
  const OwnConfig own = read_own(options);
  const Config& config = own.loaded.config;
  RankWatch watch;
  if (!own.failure) watch.start(config.parallel.hang_timeout_seconds, config.run_dir);
  return on_ranks(watch, config.parallel, [&](Job& job) {
    together(job.control(), [&] {
      if (own.failure) std::rethrow_exception(own.failure);
    });
    if (job.size() > 1) require_same(job.control(), "program", program_checksum());
    require_same(job.control(), "configuration", dump_config(config));
    if (job.is_root()) print_notes(own.loaded);
    return run_on_ranks(config, job);
  });
}

}  // namespace

Action train_verb(Options& options) {
  const auto config = std::make_shared<ConfigOptions>();
  add_config_options(options, *config);
  options.later("--profile");
  return [config] { return run_or_dump("train", *config, [&] { return run_train(*config); }); };
}

}  // namespace weft

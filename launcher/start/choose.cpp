#include "launcher/start/choose.h"

#include <string>

#include <fmt/format.h>

#include "launcher/config/changes.h"
#include "launcher/ranks/bf16_probe.h"
#include "launcher/ranks/memory_question.h"
#include "launcher/ranks/together.h"
#include "runtime/error.h"
#include "runtime/log.h"
#include "training/available_memory.h"
#include "training/limits.h"

namespace weft {
namespace {

ModelConfig with_vocabularies(ModelConfig model, const PreparedData& data) {
  model.source_vocab_size = data.source.size();
  model.target_vocab_size = data.target.size();
  return model;
}

MemoryPlan plan_memory(const StartUp& start, const ModelConfig& model, const Machine& machine, std::int64_t recorded_rows) {
  const Config& config = start.config;
  const MemoryQuestion question = memory_question(config, model, machine, start.job.grid());
  const std::int64_t share = available_host_memory() / start.job.ranks_on_host();
  const auto limit = static_cast<std::int64_t>(config.parallel.memory_limit * static_cast<double>(share));
  const std::int64_t rows = config.training.micro_batch_size > 0 ? config.training.micro_batch_size : recorded_rows;
  MemoryPlan plan = rows > 0 ? measure_memory(question, rows) : fit_micro_batch(question, batch_rows(config), limit);
  if (plan.total() <= limit) return plan;
  fail_input(
      fmt::format("does not fit: {}\n  found     {} of memory a rank, of which parallel.memory_limit = {} allows {}\n  expected  a "
                  "smaller training.micro_batch_size, training.recompute: block, or a smaller model",
                  describe(plan), bytes_text(share), config.parallel.memory_limit, bytes_text(limit)));
}

Json layout_of(Mesh& mesh, const ParallelConfig& config) {
  Json layout = Json::object();
  layout.set("world", mesh.world->size()).set("data", mesh.dp->size()).set("tensor", mesh.tp->size());
  layout.set("zero_stage", config.zero_stage);
  return layout;
}

void say_start(const StartUp& start, const Machine& machine, const MemoryPlan& memory) {
  const Config& config = start.config;
  const Job& job = start.job;
  Log& log = start.log;
  log.info("config", fmt::format("{} x {} thread{}, zero_stage {}, {}, {} ({}), {:.1f} M parameters", describe(job.grid()), machine.threads,
                                 machine.threads == 1 ? "" : "s", config.parallel.zero_stage, machine.kernels->name, name(machine.dtype),
                                 machine.reason, static_cast<double>(memory.parameters) / 1e6));
  log.info("config", fmt::format("update = up to {} {} of all ranks: passes of up to {} tokens a side and rank", config.training.batch_size,
                                 config.training.batch_type == BatchType::kTokens ? "tokens" : "sentences", memory.micro_batch_rows));
  log.info("memory", fmt::format("rank 0: {}; {} of memory on this host", describe(memory), bytes_text(available_host_memory())));
  if (job.tensor_over_network()) {
    log.warn_once("config",
                  "parallel.tensor: ranks that share matrices are on different hosts: every layer waits for the network 4 to 6 times per "
                  "micro-batch\n  expected  parallel.tensor that divides the ranks of each host, and mpirun --map-by slot");
  }
  if (!job.slow_transport().empty()) log.warn_once("config", job.slow_transport());
  const std::string crowded = oversubscription(job.ranks_on_host(), machine.threads);
  if (!crowded.empty()) log.warn_once("config", crowded);
  const std::string advice = job.is_root() ? bf16_advice(machine) : "";
  if (!advice.empty()) log.info("config", advice);
}

void say_short(Log& log, const TrainingConfig& training, const Dataset& data) {
  const EpochSize epoch = epoch_size(data, training.batch_type, training.batch_size);
  const std::string note = warmup_note(training.limits, training.schedule, epoch);
  if (!note.empty()) log.warn_once("config", note);
}

/// What a resume does otherwise than the run that wrote the checkpoint; empty: nothing, so it goes on bit for bit.
std::string changed_since(const Beginning& beginning, const Config& config, const Choice& choice) {
  const RunIdentity* recorded = beginning.recorded();
  if (recorded == nullptr) return "";
  std::string changed;
  for (const std::string& text :
       {differences(recorded->layout, choice.layout), differences(recorded->chosen, choice.chosen),
        changes_of(recorded->config, config).numbers, beginning.reset == Reset{} ? "" : "starts anew: " + describe(beginning.reset)}) {
    if (!text.empty()) changed += (changed.empty() ? "" : ", ") + text;
  }
  return changed;
}

void say_resume(Log& log, const std::optional<FoundCheckpoint>& found, const std::string& run_dir, const std::string& changed) {
  if (!found) return log.info("resume", fmt::format("none found in {}: starting at step 0", run_dir));
  log.info("resume", fmt::format("step {} from {}, {}", found->reader.manifest().step, found->reader.folder(),
                                 changed.empty() ? "bit for bit" : "within tolerance, not bit for bit: " + changed));
}

}  // namespace

Choice choose(const StartUp& start, const Text& text, const Beginning& beginning) {
  const RunIdentity* recorded = beginning.recorded();
  Choice choice{.model = with_vocabularies(start.config.model, text.data), .layout = layout_of(start.job.mesh(), start.config.parallel)};
  together(start.job.control(), [&] {
    choice.machine = choose_machine(start.config, recorded == nullptr ? nullptr : &recorded->chosen);
    const bool same_layout = recorded != nullptr && recorded->layout == choice.layout;
    choice.memory = plan_memory(start, choice.model, choice.machine, same_layout ? recorded->chosen.at("micro_batch_rows").as_int() : 0);
  });
  choice.chosen = choices(choice.machine, choice.memory.micro_batch_rows);
  require_same(start.job.control(), {{"corpus or vocabulary", text.fingerprints.dump()},
                                     {"validation text", text.validation},
                                     {"choice of kernels, threads or number format", choice.chosen.dump()}});
  say_start(start, choice.machine, choice.memory);
  say_short(start.log, start.config.training, text.data.train);
  say_resume(start.log, beginning.found, start.config.run_dir, changed_since(beginning, start.config, choice));
  return choice;
}

}  // namespace weft

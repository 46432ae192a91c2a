#include <algorithm>
#include <memory>

#include <fmt/format.h>

#include "data/vocabulary/vocabulary.h"
#include "launcher/ranks/job.h"
#include "launcher/ranks/machine.h"
#include "launcher/ranks/memory_question.h"
#include "launcher/start/read.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/files/json.h"
#include "runtime/log.h"
#include "training/available_memory.h"
#include "training/memory_plan.h"

namespace weft {
namespace {

struct MemoryItem {
  std::string name;
  std::int64_t bytes;
};

std::vector<MemoryItem> items_of(const MemoryPlan& plan) {
  std::vector<MemoryItem> items{{"weights", plan.weights}, {"gradients", plan.gradients}, {"optimizer", plan.optimizer},
                                {"ema", plan.ema},         {"batches", plan.batches},     {"activations", plan.arena()}};
  for (const StepArena::Use& use : plan.activations_by_name) items.push_back({"  " + std::string(use.name), use.bytes});
  if (plan.decoding > 0) items.push_back({"  or translating in validation", plan.decoding});
  if (plan.logits > 0) items.push_back({"logits of a validation", plan.logits});
  items.push_back({"program", plan.program});
  items.push_back({"in all", plan.total()});
  return items;
}

void print_table(const MemoryPlan& plan, std::int64_t limit) {
  for (const MemoryItem& item : items_of(plan)) fmt::print("{:<36}{:>12}\n", item.name, bytes_text(item.bytes));
  fmt::print("{:<36}{:>12}\n", "allowed", bytes_text(limit));
  fmt::print("micro-batch of {} tokens a side: {}\n", plan.micro_batch_rows, plan.total() <= limit ? "fits" : "does not fit");
}

void print_json(const MemoryPlan& plan, std::int64_t limit) {
  Json json = Json::object();
  for (const MemoryItem& item : items_of(plan)) json.set(item.name, item.bytes);
  json.set("allowed", limit).set("micro_batch_rows", plan.micro_batch_rows).set("fits", plan.total() <= limit);
  fmt::print("{}\n", json.dump());
}

/// What `weft plan` is asked.
struct PlanOptions {
  ConfigOptions config;
  int ranks = 1;
  double device_memory_gb = 0;  // 0: not given
  bool json = false;
};

/// The vocabularies that are learned need not be there yet: vocab.vocab_size stands for them. Of several ranks each has its share of this
/// host's memory.
int run_plan(const Config& config, const PlanOptions& asked) {
  const int ranks = asked.ranks;
  const Grid grid = grid_of(config.parallel, ranks);
  const Machine machine = choose_machine(config, nullptr);
  ModelConfig model = config.model;
  const VocabConfig& vocab = config.vocab;
  const auto size = [&](const std::string& file) { return file.empty() ? vocab.vocab_size : Vocabulary::load(file).size(); };
  model.source_vocab_size = size(vocab.src);
  model.target_vocab_size = vocab.tgt.empty() && vocab.share_vocab ? model.source_vocab_size : size(vocab.tgt);
  const std::int64_t memory =
      asked.device_memory_gb > 0 ? static_cast<std::int64_t>(asked.device_memory_gb * 1e9) : available_host_memory() / ranks;
  const auto limit = static_cast<std::int64_t>(config.parallel.memory_limit * static_cast<double>(memory));
  const MemoryQuestion question = memory_question(config, model, machine, grid);
  const std::int64_t rows = config.training.micro_batch_size;
  const MemoryPlan plan = rows > 0 ? measure_memory(question, rows) : fit_micro_batch(question, batch_rows(config), limit);
  if (!asked.json) {
    fmt::print("{:.1f} M parameters, {} ({}), each of {}\n", static_cast<double>(plan.parameters) / 1e6, name(machine.dtype),
               machine.reason, describe(grid));
  }
  asked.json ? print_json(plan, limit) : print_table(plan, limit);
  return static_cast<int>(plan.total() <= limit ? ExitCode::kDone : ExitCode::kBadInput);
}

}  // namespace

Action plan_verb(Options& options) {
  const auto asked = std::make_shared<PlanOptions>();
  add_config_options(options, asked->config);
  options.whole("--ranks", asked->ranks, 1, kMostRanks, "N", "ranks of the job");
  options.positive("--device-memory", asked->device_memory_gb, "GB", "GB of each device");
  options.flag("--json", asked->json, "one JSON object a line");
  return [asked] {
    return run_or_dump("plan", asked->config, [&] { return run_plan(read_config(asked->config, ConfigUse::kPlan), *asked); });
  };
}

}  // namespace weft

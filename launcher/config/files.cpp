#include <filesystem>
#include <system_error>

#include <unistd.h>

#include <fmt/format.h>

#include "launcher/config/checks.h"
#include "launcher/input/missing_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

void add(std::vector<Conflict>& conflicts, const std::string& key, Problem problem) {
  problem.path = key;
  conflicts.push_back({std::move(problem), {key}});
}

/// `key` names a file or folder that must be there and be readable; empty names are others' concern.
void require(std::vector<Conflict>& conflicts, const std::string& key, const std::string& path, bool folder) {
  if (path.empty()) return;
  const std::string expected = folder ? "a folder" : "a file";
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (status.type() == fs::file_type::not_found) {
    add(conflicts, key, {.what = "no such " + expected.substr(2), .found = path + seen_from(path), .nearest = nearest_file(path)});
  } else if ((status.type() == fs::file_type::directory) != folder) {
    add(conflicts, key, {.what = folder ? "not a folder" : "a folder", .found = path, .expected = expected});
  } else if (!folder && status.type() != fs::file_type::regular) {
    add(conflicts, key, {.what = "a pipe or a device", .found = path, .expected = "a file, since it is read more than once"});
  } else if (::access(path.c_str(), R_OK) != 0) {
    add(conflicts, key, {.what = "cannot be read", .found = path, .expected = expected + " this user may read"});
  }
}

void require_text(std::vector<Conflict>& conflicts, const std::string& key, const ParallelText& text) {
  require(conflicts, key + ".src", text.src, false);
  require(conflicts, key + ".tgt", text.tgt, false);
  require(conflicts, key + ".file", text.file, false);
}

void require_texts(std::vector<Conflict>& conflicts, const DataConfig& data, bool valid) {
  for (std::size_t i = 0; i < data.train.size(); ++i) {
    require_text(conflicts, fmt::format("data.train[{}]", i), data.train[i]);
  }
  if (valid) require_text(conflicts, "data.valid", data.valid);
}

/// Text that was moved away is not needed again by a run that has prepared it.
void offer_prepared(std::vector<Conflict>& conflicts, const std::string& run_dir) {
  const std::string prepared = run_dir + "/prepared";
  if (std::error_code error; !fs::exists(prepared + "/prepared.json", error)) return;
  for (Conflict& conflict : conflicts) {
    if (!conflict.problem.path.starts_with("data.") || !conflict.problem.expected.empty()) continue;
    conflict.problem.expected = "the file, or data.prepared: " + prepared + " in place of data.train and data.valid";
  }
}

void missing(std::vector<Conflict>& conflicts, std::vector<std::string> keys, std::string expected) {
  conflicts.push_back({{.path = keys.front(), .what = "missing", .expected = std::move(expected)}, std::move(keys)});
}

bool has_limit(const LimitsConfig& limits) {
  return limits.train_steps > 0 || limits.max_epochs > 0 || limits.max_tokens_seen > 0 || limits.stop_time_hours > 0;
}

void check_run_dir(std::vector<Conflict>& conflicts, const Config& config) {
  if (config.run_dir.empty()) {
    missing(conflicts, {"run_dir", "*"}, "the folder this run owns, for example runs/ende");
  } else if (std::error_code error; fs::exists(config.run_dir, error) && !fs::is_directory(config.run_dir, error)) {
    add(conflicts, "run_dir", {.what = "not a folder", .found = config.run_dir, .expected = "a folder, or a path that is free"});
  }
}

}  // namespace

std::vector<Conflict> check_use(const Config& config, ConfigUse use) {
  std::vector<Conflict> conflicts;
  if (use == ConfigUse::kRead || use == ConfigUse::kStored || use == ConfigUse::kPlan) return conflicts;
  const bool trains = use == ConfigUse::kTrain;
  if (trains || use == ConfigUse::kVocab) check_run_dir(conflicts, config);
  if (config.data.train.empty() && (!trains || config.data.prepared.empty())) {
    missing(conflicts, {"data.train", "data.prepared", "data.*"}, "[{src: FILE, tgt: FILE}, ...]");
  }
  if (trains && !has_limit(config.training.limits)) {
    missing(conflicts,
            {"training.train_steps", "training.max_epochs", "training.max_tokens_seen", "training.stop_time_hours", "training.*"},
            "a limit: train_steps, max_epochs, max_tokens_seen or stop_time_hours");
  }
  require_texts(conflicts, config.data, use != ConfigUse::kVocab);
  if (trains) offer_prepared(conflicts, config.run_dir);
  require(conflicts, "vocab.src", config.vocab.src, false);
  require(conflicts, "vocab.tgt", config.vocab.tgt, false);
  if (trains) require(conflicts, "data.prepared", config.data.prepared, true);
  if (trains && !config.data.prepared.empty() && config.data.valid.given()) {
    conflicts.push_back({{.path = "data.valid",
                          .what = "cannot be combined with data.prepared, which has its own",
                          .expected = "one of the two; weft prepare puts the text of data.valid into the folder"},
                         {"data.valid", "data.prepared"}});
  }
  const std::string& resume = config.checkpoint.resume;
  if (trains && resume != "auto" && resume != "never") {
    require(conflicts, "checkpoint.resume", resume, true);
    if (!config.checkpoint.init_from.empty()) {
      conflicts.push_back({{.path = "checkpoint.init_from",
                            .what = "cannot be combined with checkpoint.resume: PATH, which loads the weights too",
                            .expected = "one of the two"},
                           {"checkpoint.init_from", "checkpoint.resume"}});
    }
  }
  return conflicts;
}

}  // namespace weft

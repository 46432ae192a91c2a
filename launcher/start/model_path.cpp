#include "launcher/start/model_path.h"

#include <algorithm>
#include <filesystem>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "launcher/config/config.h"
#include "runtime/error.h"
#include "state/checkpoint/checkpoint_reader.h"
#include "state/checkpoint/load_checkpoint.h"
#include "state/checkpoint/run_directory.h"
#include "training/validation/best_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// Of a run directory: the best by the first validation metric where it is there and its weights are whole, else the newest such one.
std::string choose_checkpoint(Storage& storage, const std::string& path, const std::string& metric) {
  const std::vector<std::int64_t> steps = list_steps(storage, path);
  std::vector<std::int64_t> candidates;
  const std::optional<std::int64_t> best = best_step(storage, path, metric);
  if (best && std::count(steps.begin(), steps.end(), *best) > 0) candidates.push_back(*best);
  candidates.insert(candidates.end(), steps.begin(), steps.end());
  std::string damage;
  for (const std::int64_t step : candidates) {
    std::string folder = path + "/" + step_folder(step);
    try {
      verify_weights(CheckpointReader(storage, folder));
      return folder;
    } catch (const Error& error) {
      damage += std::string("\n  found     ") + error.what();
    }
  }
  if (steps.empty()) fail_input(path + ": holds no checkpoint\n  expected  a run directory, a checkpoint step-..., or an exported model");
  throw Error(ExitCode::kNoCheckpoint, path + ": no whole checkpoint" + damage);
}

}  // namespace

std::string find_model(Storage& storage, const std::string& path, const std::string& key) {
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (!fs::is_directory(folder))
    fail_input(folder + ": no such folder\n  expected  " + key + ": a run directory, a checkpoint in one, or an exported model");
  if (fs::exists(folder + "/manifest.json")) return folder;
  const std::string config_file = folder + "/config.yaml";
  std::string metric;
  if (fs::exists(config_file)) metric = load_config({config_file}, {}, ConfigUse::kStored).config.training.valid_metrics.front();
  return choose_checkpoint(storage, folder, metric);
}

VocabularyFiles find_vocabularies(const std::string& checkpoint, bool shared) {
  VocabularyFiles inside = vocabulary_files(checkpoint, shared);
  if (fs::exists(inside.source)) return inside;
  VocabularyFiles beside = vocabulary_files(fs::canonical(checkpoint).parent_path().string(), shared);
  if (fs::exists(beside.source)) return beside;
  fail_input(
      fmt::format("{}: no vocabulary\n  found     neither {} nor {}\n  expected  a checkpoint in its run directory; to move a model, "
                  "weft export makes a self-contained folder",
                  checkpoint, inside.source, beside.source));
}

}  // namespace weft

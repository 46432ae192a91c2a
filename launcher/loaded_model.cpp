#include "launcher/loaded_model.h"

#include <algorithm>
#include <cstring>
#include <filesystem>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/storage.h"
#include "state/load_checkpoint.h"
#include "state/run_directory.h"
#include "training/best_file.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// The configuration that a checkpoint carries.
Config config_of(const CheckpointReader& reader, const std::vector<std::string>& sets) {
  const LoadedConfig loaded =
      parse_config(reader.manifest().run.config, reader.folder() + "/manifest.json config", ConfigUse::kStored, sets);
  return loaded.config;
}

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

std::string resolve(Storage& storage, const std::string& path) {
  std::string folder = path;
  while (folder.size() > 1 && folder.back() == '/') folder.pop_back();
  if (!fs::is_directory(folder))
    fail_input(folder + ": no such folder\n  expected  --model: a run directory, a checkpoint in one, or an exported model");
  if (fs::exists(folder + "/manifest.json")) return folder;
  const std::string config_file = folder + "/config.yaml";
  std::string metric;
  if (fs::exists(config_file)) metric = load_config({config_file}, {}, ConfigUse::kStored).config.training.valid_metrics.front();
  return choose_checkpoint(storage, folder, metric);
}

/// An exported model has its vocabulary inside, a checkpoint beside it in the run directory: where it really lies, whatever link or `.`
/// names it.
VocabularyFiles find_vocabularies(const std::string& checkpoint, bool shared) {
  VocabularyFiles inside = vocabulary_files(checkpoint, shared);
  if (fs::exists(inside.source)) return inside;
  VocabularyFiles beside = vocabulary_files(fs::canonical(checkpoint).parent_path().string(), shared);
  if (fs::exists(beside.source)) return beside;
  fail_input(
      fmt::format("{}: no vocabulary\n  found     neither {} nor {}\n  expected  a checkpoint in its run directory; to move a model, "
                  "weft export makes a folder that needs nothing else",
                  checkpoint, inside.source, beside.source));
}

void require_trained_with(const CheckpointReader& reader, const std::string& name, const Vocabulary& found, const std::string& file) {
  const std::string& trained = reader.manifest().run.fingerprints.at(name).as_string();
  if (fmt::format("{:016x}", found.fingerprint()) == trained) return;
  fail_input(fmt::format("{}: not the vocabulary the model was trained with\n  found     {:016x}\n  expected  {}", file,
                         found.fingerprint(), trained));
}

}  // namespace

LoadedModel::LoadedModel(const std::string& path, const std::vector<std::string>& sets) {
  const std::unique_ptr<Storage> storage = make_posix_storage();
  checkpoint_ = resolve(*storage, path);
  const CheckpointReader reader(*storage, checkpoint_);
  config_ = config_of(reader, sets);
  machine_ = choose_machine(config_, &reader.manifest().run.chosen);
  device_ = std::make_unique<CpuDevice>(*machine_.kernels);

  vocabularies_ = find_vocabularies(checkpoint_, config_.vocab.share_vocab);
  const VocabularyFiles& files = vocabularies_;
  source_ = Vocabulary::load(files.source);
  if (files.target != files.source) target_ = Vocabulary::load(files.target);
  require_trained_with(reader, "source_vocabulary", source(), files.source);
  require_trained_with(reader, "target_vocabulary", target(), files.target);
  config_.model.source_vocab_size = source().size();
  config_.model.target_vocab_size = target().size();
  parameters_ = std::make_unique<ParameterSet>(static_cast<std::uint64_t>(config_.seed));
  model_ = make_transformer(config_.model, *parameters_);
  alone_ = make_self_communicator();
  weights_ = std::make_unique<ParameterStorage>(*parameters_, *alone_, *device_, machine_.dtype, StorageUse::kInference);
  step_state_ = device_->allocate(StepState::kFields * size_of(DType::kFloat64), MemoryKind::kDevice);
  std::memset(step_state_.data(), 0, static_cast<std::size_t>(step_state_.bytes()));
  StepArena none(nullptr, 0);
  Context ctx{*device_, device_->stream(StreamKind::kCompute), none, step_state(), false};
  weights_->initialize_constants(ctx);
  load_weights(reader, ctx, *weights_);
  packed_.emplace(ctx, *parameters_);
}

}  // namespace weft

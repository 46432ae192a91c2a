#include "launcher/verbs/loaded_model.h"

#include <filesystem>

#include <fmt/format.h>

#include "launcher/start/model_path.h"
#include "runtime/error.h"
#include "runtime/files/storage.h"
#include "runtime/kernels/memory_ops.h"
#include "state/checkpoint/load_checkpoint.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

/// The configuration that a checkpoint carries.
Config config_of(const CheckpointReader& reader, const Overrides& overrides) {
  const LoadedConfig loaded =
      parse_config(reader.manifest().run.config, reader.folder() + "/manifest.json config", ConfigUse::kStored, overrides.sets);
  overrides.used.require(loaded.set_keys);
  return loaded.config;
}

void require_trained_with(const CheckpointReader& reader, const std::string& name, const Vocabulary& found, const std::string& file) {
  const std::string& trained = reader.manifest().run.fingerprints.at(name).as_string();
  if (fmt::format("{:016x}", found.fingerprint()) == trained) return;
  fail_input(fmt::format("{}: not the vocabulary the model was trained with\n  found     {:016x}\n  expected  {}", file,
                         found.fingerprint(), trained));
}

}  // namespace

LoadedModel::LoadedModel(const std::string& path, const Overrides& overrides) {
  const std::unique_ptr<Storage> storage = make_posix_storage();
  checkpoint_ = find_model(*storage, path, "--model");
  const CheckpointReader reader(*storage, checkpoint_);
  config_ = config_of(reader, overrides);
  machine_ = choose_machine(config_, &reader.manifest().run.chosen);
  device_ = make_device(machine_);

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
  StepArena none(nullptr, 0);
  Context ctx{*device_, device_->stream(StreamKind::kCompute), none, step_state(), false};
  kernels::fill_zero(ctx, {.y = step_state()});
  weights_->initialize_constants(ctx);
  load_weights(reader, ctx, *weights_);
  packed_.emplace(ctx, *parameters_);
}

}  // namespace weft

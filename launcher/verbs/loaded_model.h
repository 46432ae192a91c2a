#pragma once
#include <memory>
#include <string>
#include <vector>

#include "data/prepare/prepared.h"
#include "data/vocabulary/vocabulary.h"
#include "launcher/config/config.h"
#include "launcher/config/used_keys.h"
#include "launcher/ranks/machine.h"
#include "layers/packed_weights.h"
#include "models/transformer.h"
#include "runtime/step_state.h"
#include "state/parameter_storage.h"

namespace weft {

/// Other values for the configuration that a model carries.
struct Overrides {
  std::vector<std::string> sets;  // section.key=value
  UsedKeys used;                  // what they may name
};

/// A trained model with its vocabularies, ready to decode.
class LoadedModel {
 public:
  /// `path`: a run directory (the best checkpoint, else the newest), one checkpoint, or an exported model.
  LoadedModel(const std::string& path, const Overrides&);

  const Config& config() const { return config_; }
  TranslationModel& model() { return *model_; }
  const Vocabulary& source() const { return *source_; }
  const Vocabulary& target() const { return target_ ? *target_ : *source_; }
  const VocabularyFiles& vocabularies() const { return vocabularies_; }
  const Machine& machine() const { return machine_; }
  Device& device() { return *device_; }
  Tensor step_state() const { return step_state_.tensor({StepState::kFields}, DType::kFloat64); }
  const std::string& checkpoint() const { return checkpoint_; }

 private:
  std::string checkpoint_;
  VocabularyFiles vocabularies_;
  Config config_;
  Machine machine_;
  std::unique_ptr<Device> device_;
  std::optional<Vocabulary> source_, target_;  // target: only where it is another one
  std::unique_ptr<ParameterSet> parameters_;
  std::unique_ptr<TranslationModel> model_;
  std::unique_ptr<Communicator> alone_;
  std::unique_ptr<ParameterStorage> weights_;
  std::optional<PackedWeights> packed_;
  Memory step_state_;
};

}  // namespace weft

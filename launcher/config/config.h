#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "data/data_config.h"
#include "inference/decoding_config.h"
#include "models/model_config.h"
#include "parallel/mesh.h"
#include "state/checkpoint/checkpoint_config.h"
#include "state/optimizer_config.h"
#include "training/training_config.h"

namespace weft {

enum class Task { kTranslation };
enum class DeviceChoice { kAuto, kCpu };
enum class Precision { kAuto, kFp32, kBf16 };

/// The effective configuration of a run: the struct of every section, and the keys that stand above them. docs/reference.md has the keys.
struct Config {
  std::optional<Task> task;  // required: load_config never returns it empty
  std::string preset;        // empty: none
  std::string run_dir;       // empty: not given
  std::int64_t seed = 1;
  DeviceChoice device = DeviceChoice::kAuto;
  bool deterministic = true;

  DataConfig data;
  VocabConfig vocab;
  ModelConfig model;
  TrainingConfig training;
  OptimizerConfig optimizer;
  CheckpointConfig checkpoint;
  ParallelConfig parallel;
  Precision dtype = Precision::kAuto;
  DecodingConfig decoding;
};

/// What the configuration is for; decides which keys are required and which files must be there.
enum class ConfigUse {
  kTrain,    // run_dir, data, a limit
  kPlan,     // data need not be there
  kPrepare,  // data.train
  kVocab,    // data.train, run_dir
  kRead,     // --dump-config: nothing beyond the task
  kStored,   // the configuration that a run or a model carries; what stands in it is not judged again
};

struct LoadedConfig {
  Config config;
  std::vector<std::string> set_keys;  // that `sets` gave: training.train_steps
  std::vector<std::string> notes;     // names of other programs that were read as ours, one line each, for the user
};

/// Default < preset < files in order < sets ("section.key=value"). Throws Error kBadInput that lists every mistake, each as
/// `location: key path: what`, with found, expected and nearest below it.
LoadedConfig load_config(const std::vector<std::string>& files, const std::vector<std::string>& sets, ConfigUse);
/// As load_config of one file with this text; `name` stands for the file in messages.
LoadedConfig parse_config(const std::string& text, const std::string& name, ConfigUse, const std::vector<std::string>& sets = {});

/// The effective configuration as YAML, every default written out. Read back it gives the same configuration and the same text.
std::string dump_config(const Config&);
/// Sections decoding and precision, and the seed, as "section.key=value", for the configuration of another model.
std::vector<std::string> decoding_sets(const Config&);
/// Every key with default, values and meaning, as Markdown.
std::string key_reference();

}  // namespace weft

#pragma once
#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "data/loader.h"
#include "models/transformer.h"
#include "parallel/mesh.h"
#include "parallel/progress.h"
#include "runtime/exit_code.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "state/checkpoint/checkpoint_config.h"
#include "state/checkpoint/load_checkpoint.h"
#include "state/checkpoint/saver.h"
#include "state/gradient_reducer.h"
#include "state/optimizer_shards.h"
#include "training/limits.h"
#include "training/log/run_log.h"
#include "training/loss_buffer.h"
#include "training/run_state.h"
#include "training/step_state_buffer.h"
#include "training/training_config.h"
#include "training/validation/translation_validator.h"
#include "training/validation/validation_record.h"
#include "training/validation/validator.h"

namespace weft {

/// All that a run is made of. The referenced objects outlive the trainer.
struct TrainingJob {
  std::string run_dir;
  std::uint64_t seed = 1;
  ModelConfig model;
  TrainingConfig training;
  OptimizerConfig optimizer;
  CheckpointConfig checkpoint;
  ParallelConfig parallel;
  DType dtype = DType::kFloat32;
  std::int64_t bucket_size = 100000;
  bool shuffle = true;

  Device& device;
  Mesh& mesh;
  Progress& progress;  // for the watchdog
  Storage& storage;
  Log& log;
  const Dataset& train;
  const Dataset* valid = nullptr;                     // nullptr: no validation
  std::string validation;                             // tells validation texts apart; empty: none
  std::string tokenize = "13a";                       // validation.tokenize
  std::optional<TranslationValidation> translations;  // none: no metric wants any
  std::int64_t micro_batch_rows = 0;
  std::int64_t arena_bytes = 0;  // by measure_memory, for that micro-batch
  RunIdentity identity;
  std::function<bool()> stop_requested;
};

/// The training loop of one rank: docs/architecture.md, "A step through the folders". Built in the order in which memory is taken, so that
/// what does not fit fails before the first step.
class Trainer {
 public:
  explicit Trainer(const TrainingJob&);

  /// Starts from a checkpoint that was found; else from fresh weights, of which those that fit are taken from `initial`, if there is one.
  /// Call once, before `run`.
  void start(const FoundCheckpoint*, const CheckpointReader* initial = nullptr);
  /// Runs to a limit (kDone) or to a stop on request (kStopped), with everything saved. A request is looked at between passes and between
  /// groups of lines: an update that is not finished is discarded, a validation that is not finished stays due. Throws kNumerics and
  /// kStorage.
  ExitCode run();

  const RunState& state() const { return run_; }

 private:
  void resume(const FoundCheckpoint&);
  void apply(const Reset&);
  void take_weights(const CheckpointReader&);
  bool step();
  void advance(const Update&);
  bool after_step(const RunCounts& before, bool stop);
  ExitCode finish(Limit);
  ExitCode finish_stopped();
  void finish_saving();
  std::string safe_text() const;
  void forget_other_bests();
  std::string judged() const;
  bool recall_validation();
  bool validate();
  void note_scores(std::span<const MetricScore>);
  void keep_best();
  std::optional<std::vector<MetricScore>> judge();
  bool note_score(const MetricScore&);
  void save();
  Json saved_state();
  void report();
  void show_progress();
  TrainReport make_report();
  void check_finite(const StepStateBuffer::Fields&);
  bool agree_to_stop();

  const TrainingJob job_;
  ParameterSet parameters_;
  std::unique_ptr<TranslationModel> model_;
  ParameterStorage weights_;
  Memory arena_memory_;
  StepArena arena_;
  Stream& stream_;
  StepStateBuffer step_state_;
  LossBuffer loss_;
  Context ctx_;
  OptimizerShards optimizer_;
  GradientReducer reducer_;
  std::optional<Validator> validator_;
  std::optional<TranslationValidator> translator_;
  Saver saver_;
  ValidationRecords records_;
  std::optional<BatchSampler> sampler_;  // the loader has a copy
  std::unique_ptr<Loader> loader_;
  RunLog run_log_;

  using Clock = std::chrono::steady_clock;
  bool is_root() const { return job_.mesh.control->rank() == 0; }
  double hours_running() const { return std::chrono::duration<double, std::ratio<3600>>(Clock::now() - started_at_).count(); }

  RunState run_;
  LossTotals interval_;           // since the last report
  RunCounts started_, reported_;  // when this process began, at the last report
  Clock::time_point started_at_, reported_at_, shown_at_;
};

}  // namespace weft

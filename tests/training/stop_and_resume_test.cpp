// The trainer with ranks that are threads: a request to stop inside a validation and between two passes, starts after the end, and what a
// start takes from elsewhere or begins anew.
#include <atomic>
#include <filesystem>
#include <functional>
#include <sstream>

#include <gtest/gtest.h>

#include "parallel/threads/thread_communicator.h"
#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "state/checkpoint/run_directory.h"
#include "tests/data/test_dataset.h"
#include "training/memory_plan.h"
#include "training/run_state.h"
#include "training/trainer.h"

namespace weft::test {
namespace {

constexpr std::int64_t kMicroBatchRows = 60;  // an update of 240 tokens takes two passes of two ranks
constexpr int kRanks = 2;

ModelConfig small_model() {
  ModelConfig model;
  model.encoder = model.decoder = {.num_layers = 1, .num_heads = 2, .ffn_size = 16};
  model.hidden_size = 8;
  model.max_length = 16;
  model.source_vocab_size = model.target_vocab_size = 100;
  return model;
}

/// A run of eight updates that is validated and saved after the fourth and the eighth.
class StopAndResumeTest : public testing::Test {
 protected:
  using Stop = std::function<bool(int rank, const Progress&)>;

  static TrainingConfig training() {
    TrainingConfig training;
    training.batch_size = 240;
    training.schedule.warmup_steps = 4;
    training.limits.train_steps = 8;
    training.valid_freq = training.save_freq = {Frequency::Unit::kUpdates, 4};
    training.valid_metrics = {"perplexity"};
    training.report_freq = {Frequency::Unit::kUpdates, 1};
    return training;
  }

  /// `weft train`, on a run directory that is made when missing; returns what all ranks end with. `initial`: checkpoint.init_from.
  ExitCode start(const std::string& name, const Stop& stop = nullptr, const Reset& reset = {}, const std::string& initial = "") {
    const std::string run_dir = folder_.path(name);
    std::filesystem::create_directories(run_dir);
    const MemoryQuestion question{
        .model = small_model(), .optimizer = {.ema_decay = 0.9}, .kernels = kernels_, .parallel = {}, .grid = {kRanks, 1}};
    const std::int64_t arena_bytes = measure_memory(question, kMicroBatchRows).activations;
    std::atomic<int> code = -1;
    run_ranks(kRanks, [&](Mesh& mesh) {
      const int rank = mesh.control->rank();
      Log log(Log::Options{.to_stderr = false});
      const std::unique_ptr<Storage> storage = make_posix_storage();
      std::optional<FoundCheckpoint> found = find_newest(*storage, run_dir, *mesh.control, log);
      CpuDevice device(*kernels_);
      Progress progress;
      Trainer trainer({.run_dir = run_dir,
                       .seed = 3,
                       .model = small_model(),
                       .training = training(),
                       .optimizer = {.ema_decay = 0.9},
                       .checkpoint = {.reset = reset},
                       .parallel = {},
                       .device = device,
                       .mesh = mesh,
                       .progress = progress,
                       .storage = *storage,
                       .log = log,
                       .train = *data_,
                       .valid = &*valid_,
                       .validation = "this text",
                       .micro_batch_rows = kMicroBatchRows,
                       .arena_bytes = arena_bytes,
                       .identity = {.layout = Json::object(), .fingerprints = Json::object(), .chosen = Json::object()},
                       .stop_requested = [&] { return stop && stop(rank, progress); }});
      std::optional<CheckpointReader> from;
      if (!initial.empty()) from.emplace(*storage, initial);
      trainer.start(found ? &*found : nullptr, from ? &*from : nullptr);
      code = static_cast<int>(trainer.run());
    });
    return static_cast<ExitCode>(code.load());
  }

  std::string path(const std::string& name, const std::string& file) const { return folder_.path(name) + "/" + file; }
  std::string log_of(const std::string& name) const {
    const std::string file = path(name, "run_log.jsonl");
    return std::filesystem::exists(file) ? read_text(file) : "";
  }
  /// Of run_log.jsonl, without their time.
  std::vector<std::string> validations(const std::string& name) const {
    std::vector<std::string> found;
    std::istringstream lines(log_of(name));
    for (std::string line; std::getline(lines, line);) {
      if (const std::size_t at = line.find("\"part\": \"valid\""); at != line.npos) found.push_back(line.substr(at));
    }
    return found;
  }
  /// That update `step` used.
  double learning_rate(const std::string& name, std::int64_t step) const {
    std::istringstream lines(log_of(name));
    for (std::string line; std::getline(lines, line);) {
      const Json event = Json::parse(line, "run log");
      if (event.at("part").as_string() == "train" && event.at("step").as_int() == step) return event.at("lr").as_double();
    }
    return -1;
  }
  Json run_state(const std::string& name, std::int64_t step) const {
    return CheckpointReader(*make_posix_storage(), path(name, step_folder(step))).manifest().run_state;
  }
  std::vector<float> tensor(const std::string& name, std::int64_t step, const std::string& tensor) const {
    const CheckpointReader reader(*make_posix_storage(), path(name, step_folder(step)));
    const StoredTensor& stored = *reader.manifest().find(tensor);
    std::vector<float> values(static_cast<std::size_t>(stored.shape.elements()));
    const Box whole{.begin = Shape{0, 0}, .size = stored.shape};
    reader.read(stored, whole, std::as_writable_bytes(std::span(values)));
    return values;
  }
  /// Stops in update `step` or after it; returns the step that is saved.
  std::int64_t run_into(const std::string& name, std::int64_t step, const Reset& reset = {}) {
    const Stop stop = [=](int, const Progress& at) { return at.phase == Phase::kStep && at.step == step; };
    EXPECT_EQ(start(name, stop, reset), ExitCode::kStopped);
    return list_steps(*make_posix_storage(), folder_.path(name)).front();
  }
  void expect_same_state(const std::string& a, const std::string& b) const {
    for (const char* file : {"weights-00000-of-00002.safetensors", "optimizer-00001-of-00002.safetensors"}) {
      const std::string expected = read_text(path(a, step_folder(8) + "/" + file));
      EXPECT_FALSE(expected.empty());
      EXPECT_EQ(expected, read_text(path(b, step_folder(8) + "/" + file))) << file;
    }
  }

  const KernelTable* kernels_ = &cpu_kernels(instruction_set());
  TestDataset data_{text_lengths(120, 5, 12)}, valid_{text_lengths(60, 6, 12)};
  TextFolder folder_;
};

TEST_F(StopAndResumeTest, AStopInsideAValidationSavesItsStepAndLeavesItDue) {
  ASSERT_EQ(start("straight"), ExitCode::kDone);
  // Only the second rank is asked, and only once the first batches of the validation are done.
  std::atomic<int> looks = 0;
  const Stop stop = [&](int rank, const Progress& at) { return rank == 1 && at.phase == Phase::kValidation && ++looks > 1; };
  EXPECT_EQ(start("stopped", stop), ExitCode::kStopped);
  EXPECT_EQ(looks, 2);
  EXPECT_TRUE(validations("stopped").empty());
  const std::unique_ptr<Storage> storage = make_posix_storage();
  EXPECT_TRUE(CheckpointReader(*storage, path("stopped", step_folder(4))).manifest().run_state.at("validation_due").as_bool());

  EXPECT_EQ(start("stopped"), ExitCode::kDone);
  EXPECT_EQ(validations("stopped"), validations("straight"));
  EXPECT_EQ(validations("stopped").size(), 2u);
  expect_same_state("straight", "stopped");
}

TEST_F(StopAndResumeTest, AStopBehindTheLastUpdateLeavesItsValidationToTheNextStart) {
  const Stop stop = [&](int, const Progress& at) { return at.phase == Phase::kValidation && at.step == 8; };
  EXPECT_EQ(start("stopped", stop), ExitCode::kStopped);
  EXPECT_EQ(validations("stopped").size(), 1u);
  EXPECT_EQ(start("stopped"), ExitCode::kDone);
  EXPECT_EQ(validations("stopped").size(), 2u);
}

TEST_F(StopAndResumeTest, AStopBetweenTwoPassesDiscardsTheUpdate) {
  ASSERT_EQ(start("straight"), ExitCode::kDone);
  const Stop stop = [&](int rank, const Progress& at) { return rank == 0 && at.phase == Phase::kStep && at.step == 6 && at.pass == 1; };
  EXPECT_EQ(start("stopped", stop), ExitCode::kStopped);
  EXPECT_TRUE(std::filesystem::exists(path("stopped", step_folder(5))));
  EXPECT_FALSE(std::filesystem::exists(path("stopped", step_folder(6))));
  EXPECT_EQ(start("stopped"), ExitCode::kDone);
  expect_same_state("straight", "stopped");
}

TEST_F(StopAndResumeTest, AFinishedRunStartsAndEndsWithoutAnEvent) {
  ASSERT_EQ(start("run"), ExitCode::kDone);
  const std::string before = log_of("run");
  EXPECT_EQ(start("run"), ExitCode::kDone);
  EXPECT_EQ(log_of("run"), before);
}

TEST_F(StopAndResumeTest, AResumeFromAStepWhoseValidationIsDoneDoesNotValidateAgain) {
  const Stop in_fifth_step = [&](int, const Progress& at) { return at.phase == Phase::kStep && at.step == 5; };
  EXPECT_EQ(start("run", in_fifth_step), ExitCode::kStopped);
  std::filesystem::remove_all(path("run", step_folder(5)));
  EXPECT_EQ(start("run"), ExitCode::kDone);  // from step 4, which was saved before its validation
  EXPECT_EQ(validations("run").size(), 2u);
}

constexpr const char* kWeight = "encoder.layers.0.ffn.fc1.weight";

TEST_F(StopAndResumeTest, AResetIsAppliedOnce) {
  const std::int64_t first = run_into("run", 5);
  const Reset all{.optimizer = true, .data = true, .scheduler = true, .metrics = true};
  const std::int64_t second = run_into("run", 7, all);
  const RunState once = run_state_from(run_state("run", second));
  EXPECT_EQ(once.adam_count, second - first);
  EXPECT_EQ(once.schedule_start, first);
  EXPECT_EQ(once.reset, all);
  EXPECT_LT(once.counts.epochs, run_state_from(run_state("run", first)).counts.epochs);
  EXPECT_TRUE(once.best.empty());

  ASSERT_EQ(start("run", nullptr, all), ExitCode::kDone);  // as a relaunch does: with the same configuration
  EXPECT_EQ(learning_rate("run", first + 1), learning_rate("run", 1));
  EXPECT_NE(learning_rate("run", first), learning_rate("run", 1));
  const RunState last = run_state_from(run_state("run", 8));
  EXPECT_EQ(last.adam_count, 8 - first);
  EXPECT_EQ(last.schedule_start, first);
}

TEST_F(StopAndResumeTest, EachResetLeavesTheRestAsItWas) {
  for (const Reset& reset : {Reset{.optimizer = true}, Reset{.data = true}, Reset{.scheduler = true}, Reset{.metrics = true}}) {
    const std::string name = describe(reset);
    const std::int64_t first = run_into(name, 5), second = run_into(name, 7, reset);
    const RunState before = run_state_from(run_state(name, first)), after = run_state_from(run_state(name, second));
    ASSERT_LT(first, second);
    EXPECT_EQ(after.adam_count, reset.optimizer ? second - first : second) << name;
    EXPECT_EQ(after.counts.epochs > before.counts.epochs, !reset.data) << name;
    EXPECT_EQ(after.schedule_start, reset.scheduler ? first : 0) << name;
    EXPECT_EQ(after.best.empty(), reset.metrics) << name;
  }
}

TEST_F(StopAndResumeTest, ANewRunTakesTheAveragedWeightsOfAnother) {
  ASSERT_EQ(start("teacher"), ExitCode::kDone);
  const Stop at_once = [](int, const Progress& at) { return at.phase == Phase::kStep && at.step == 1 && at.pass == 1; };
  const std::string from = path("teacher", step_folder(8));
  ASSERT_EQ(start("pupil", at_once, {}, from), ExitCode::kStopped);  // inside its first update, which is discarded
  EXPECT_EQ(tensor("pupil", 0, kWeight), tensor("teacher", 8, std::string("ema.") + kWeight));
  EXPECT_NE(tensor("pupil", 0, kWeight), tensor("teacher", 8, kWeight));
  EXPECT_EQ(tensor("pupil", 0, std::string("ema.") + kWeight), tensor("pupil", 0, kWeight));
  EXPECT_EQ(run_state_from(run_state("pupil", 0)).adam_count, 0);

  ASSERT_EQ(start("alone", at_once), ExitCode::kStopped);
  EXPECT_NE(tensor("alone", 0, kWeight), tensor("pupil", 0, kWeight));
}

/// A record is of the run that came through a step last.
TEST_F(StopAndResumeTest, AStepThatIsSavedAnewIsValidatedAnew) {
  ASSERT_EQ(start("run"), ExitCode::kDone);
  for (const std::int64_t step : {4, 8}) std::filesystem::remove_all(path("run", step_folder(step)));
  const Stop stop = [&](int, const Progress& at) { return at.phase == Phase::kValidation && at.step == 4; };
  EXPECT_EQ(start("run", stop), ExitCode::kStopped);
  EXPECT_EQ(validations("run").size(), 2u);
  EXPECT_EQ(start("run"), ExitCode::kDone);
  EXPECT_EQ(validations("run").size(), 4u);
}

}  // namespace
}  // namespace weft::test

#include "training/trainer.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "runtime/error.h"
#include "training/schedule.h"
#include "training/validation/best_metrics.h"

namespace weft {
namespace {

constexpr auto kProgressInterval = std::chrono::milliseconds(500);

SearchProblem search_problem(const TranslationValidation& validation, Generator& generator) {
  return validation_search(generator, validation.decoding, validation.target.special(), validation.source.size(), validation.max_length);
}

double seconds_between(std::chrono::steady_clock::time_point from, std::chrono::steady_clock::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

}  // namespace

Trainer::Trainer(const TrainingJob& job)
    : job_(job),
      parameters_(job.seed, job.mesh.dp->size()),
      model_(make_transformer(job.model, parameters_, TensorParallel(*job.mesh.tp))),
      weights_(parameters_, *job.mesh.dp, job.device, job.dtype,
               ShardLayout(parameters_, *job.mesh.dp, job.parallel, size_of(sum_type(job.dtype))), StorageUse::kTraining),
      arena_memory_(job.mesh.tp->allocate(job.device, job.arena_bytes)),  // sums of tensor parallelism are taken in it
      arena_(arena_memory_.data(), job.arena_bytes),
      stream_(job.device.stream(StreamKind::kCompute)),
      step_state_(job.device, stream_),
      loss_(job.device, stream_),
      ctx_{job.device, stream_, arena_, step_state_.tensor(), true},
      optimizer_(job.optimizer, weights_, job.mesh, job.device),
      reducer_(weights_, *job.mesh.dp),
      saver_({.storage = job.storage,
              .mesh = job.mesh,
              .device = job.device,
              .log = job.log,
              .parameters = parameters_,
              .shards = optimizer_,
              .config = job.checkpoint,
              .run_dir = job.run_dir,
              .run = job.identity}),
      records_(job.storage, job.run_dir),
      run_log_(job.run_dir, [this](std::string_view part, const std::string& text) { job_.log.info(part, text); }) {
  if (job.valid != nullptr) validator_.emplace(job.device, *job.mesh.dp, *job.valid, job.micro_batch_rows);
  if (job.translations) {
    translator_.emplace(job.mesh, *job.translations, search_problem(*job.translations, *model_));
    const std::string doubt = translator_->doubt();
    if (!doubt.empty()) job.log.warn("valid", doubt + "\n  expected  validation.tokenize: zh or char, or chrf as the first metric");
  }
}

ExitCode Trainer::run() {
  if (run_.validation_due && validator_ && !recall_validation() && !validate()) return finish_stopped();
  for (;;) {
    const bool stalled = has_stalled(run_.best, job_.training.valid_metrics, job_.training.early_stopping);
    const Limit limit = stalled ? Limit::kEarlyStopping : limit_reached(job_.training.limits, run_.counts, 0);
    if (limit != Limit::kNone) return finish(limit);
    const RunCounts before = run_.counts;
    if (!step()) return finish_stopped();
    const bool stop = agree_to_stop();
    if (!after_step(before, stop)) return finish_stopped();
  }
}

/// Whether the update is done: a request to stop discards it.
bool Trainer::step() {
  const LoadedUpdate& loaded = loader_->begin_update();
  const Update& update = loaded.update;
  const TrainingConfig& config = job_.training;
  const std::int64_t number = run_.counts.step + 1;
  const auto counted =
      config.normalization == Normalization::kTokens ? update.loss_tokens : static_cast<std::int64_t>(update.samples.size());
  job_.progress.step = number;
  job_.progress.phase = Phase::kStep;
  const std::int64_t begun = run_.schedule_start, last = config.limits.train_steps;
  step_state_.write(number, learning_rate(config.schedule, number - begun, last > 0 ? last - begun : 0),
                    1.0 / static_cast<double>(counted));
  reducer_.begin_update(static_cast<int>(loaded.passes));
  for (std::int64_t pass = 0; pass < loaded.passes; ++pass) {
    if (pass > 0 && agree_to_stop()) {
      step_state_.write(run_.counts.step, 0, 1);  // the last update speaks for itself again
      return false;
    }
    job_.progress.pass = pass + 1;
    model_->forward_backward(ctx_, loader_->next(), reducer_, loss_.sums());
  }
  reducer_.finish(ctx_);
  // A save in flight reads the state that the update changes. To the end of the step all ranks wait for the slowest to read, and for rank 0
  // to commit.
  if (saver_.in_flight()) job_.progress.phase = Phase::kSave;
  saver_.wait_until_read();
  optimizer_.update(ctx_, reducer_.slices());
  step_state_.record();
  advance(update);
  check_finite(step_state_.previous());
  return true;
}

void Trainer::advance(const Update& update) {
  run_.position = update.next;
  run_.counts.step += 1;
  run_.counts.target_tokens += update.loss_tokens;
  run_.counts.epochs =
      static_cast<double>(update.next.epoch) + static_cast<double>(update.next.samples) / static_cast<double>(job_.train.size());
}

/// One small message: whether any rank was asked to stop or is out of time (clocks differ), and whether all writers are done.
bool Trainer::agree_to_stop() {
  const bool out_of_time = limit_reached(job_.training.limits, run_.counts, hours_running()) == Limit::kTime;
  const std::int64_t stop = job_.stop_requested() || out_of_time ? 1 : 0, writing = saver_.writers_done() ? 0 : 1;
  const std::vector<std::int64_t> all = job_.mesh.control->agree({stop, writing});
  saver_.commit_when(all[1] == 0);
  job_.progress.committed = saver_.committed_step();
  return all[0] != 0;
}

/// Whether the run goes on.
bool Trainer::after_step(const RunCounts& before, bool stop) {
  const RunCounts& now = run_.counts;
  const bool validates = validator_ && due(job_.training.valid_freq, before, now);
  if (due(job_.training.report_freq, before, now)) {
    report();
  } else if (is_root() && job_.log.shows_status()) {
    show_progress();
  }
  const bool is_last = limit_reached(job_.training.limits, now, 0) != Limit::kNone;
  run_.validation_due = validates || (validator_ && is_last);
  if (stop || due(job_.training.save_freq, before, now)) save();  // a save comes before the validation of its step
  if (stop || !validates) return !stop;
  return validate() && !agree_to_stop();
}

ExitCode Trainer::finish(Limit limit) {
  if (run_.counts.step != saver_.committed_step()) save();
  if (validator_ && run_.validation_due && !validate()) return finish_stopped();
  finish_saving();
  check_finite(step_state_.read());
  job_.log.info("done", fmt::format("step {}, {} reached; {}", run_.counts.step, name(limit), job_.run_dir));
  return ExitCode::kDone;
}

ExitCode Trainer::finish_stopped() {
  save();
  finish_saving();
  check_finite(step_state_.read());
  const std::string_view due = run_.validation_due ? "; its validation comes first at the next start" : "";
  job_.log.info("stop", fmt::format("step {} is saved, as was asked{}", run_.counts.step, due));
  return ExitCode::kStopped;
}

/// The end of a run is on the disk, or the run has not ended well.
void Trainer::finish_saving() {
  saver_.finish();
  if (saver_.committed_step() == run_.counts.step) return;
  throw Error(ExitCode::kStorage, fmt::format("step {} could not be saved\n  safe      {}", run_.counts.step, safe_text()));
}

std::string Trainer::safe_text() const {
  return saver_.committed_step() < 0 ? "no step is committed yet" : fmt::format("step {} is committed", saver_.committed_step());
}

void Trainer::save() {
  job_.progress.phase = Phase::kSave;
  if (run_.validation_due && is_root() && run_.counts.step != saver_.committed_step()) records_.remove(run_.counts.step);
  saver_.start(run_.counts.step, saved_state());
}

/// Counts that live on the device are read back here, where waiting is allowed.
Json Trainer::saved_state() {
  const StepStateBuffer::Fields fields = step_state_.read();
  run_.adam_count = std::llround(fields[StepState::kAdamCount]);
  run_.nonfinite_row = std::llround(fields[StepState::kNonFiniteRow]);
  run_.sampling = sampler_->config_at(run_.position);
  run_.kept_best = saver_.kept_best();
  return to_json(run_);
}

/// Every rank comes here at the same step: the sums of all are added.
void Trainer::report() {
  const TrainReport own = make_report();
  const LossTotals all = loss_.sum_over(*job_.mesh.dp, interval_);
  TrainReport report = own;
  report.loss = all.loss / all.count;
  if (is_root()) run_log_.write(train_event(report));
  interval_ = {};
  reported_ = run_.counts;
  reported_at_ = Clock::now();
}

/// Rank 0 shows the loss of its own share: what is drawn by the clock must not wait for others.
void Trainer::show_progress() {
  const Clock::time_point now = Clock::now();
  if (now - shown_at_ < kProgressInterval) return;
  shown_at_ = now;
  job_.log.status(progress_text(make_report()));
}

TrainReport Trainer::make_report() {
  const LossTotals totals = loss_.take();
  interval_.loss += totals.loss;
  interval_.count += totals.count;
  const StepStateBuffer::Fields fields = step_state_.read();
  const double seconds = seconds_between(reported_at_, Clock::now());
  const RunCounts& now = run_.counts;
  return {.step = now.step,
          .epoch = now.epochs,
          .loss = interval_.loss / interval_.count,
          .learning_rate = fields[StepState::kLearningRate],
          .grad_norm = fields[StepState::kGradNorm],
          .tokens_per_second = static_cast<double>(now.target_tokens - reported_.target_tokens) / seconds,
          .step_ms = 1000 * seconds / static_cast<double>(now.step - reported_.step),
          .seconds_left = seconds_left(job_.training.limits, started_, now, seconds_between(started_at_, Clock::now()))};
}

/// A non-finite update has left weights and moments as they were; the batches that follow may be fine. There is no way back: the run is
/// deterministic and would meet the same batches again.
void Trainer::check_finite(const StepStateBuffer::Fields& fields) {
  const std::int64_t step = std::llround(fields[StepState::kStep]), row = std::llround(fields[StepState::kNonFiniteRow]);
  if (step == 0 || fields[StepState::kFinite] != 0) return;
  const bool ends = job_.training.on_nonfinite == OnNonFinite::kStop || row >= job_.training.max_nonfinite;
  const std::string what = fmt::format("step {}: gradient norm is not finite ({} in a row)", step, row);
  if (!ends) {
    job_.log.warn_once("train", what + ": weights and moments stay as they were");
    return;
  }
  saver_.finish();  // what was saved before is whole, and every rank ends here
  throw Error(
      ExitCode::kNumerics,
      fmt::format("{}\n  found     training.on_nonfinite and training.max_nonfinite end the run here\n  safe      {}", what, safe_text()));
}

}  // namespace weft

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"
#include "state/checkpoint/state_boxes.h"
#include "training/trainer.h"

// Where a run begins: at fresh weights, at those of another model, or at a checkpoint.
namespace weft {

void Trainer::start(const FoundCheckpoint* found, const CheckpointReader* initial) {
  job_.progress.phase = Phase::kLoad;
  if (found != nullptr) {
    weights_.initialize_constants(ctx_);
    optimizer_.initialize(ctx_);
    resume(*found);
  } else {
    weights_.initialize(ctx_);
    if (initial != nullptr) take_weights(*initial);
    optimizer_.initialize(ctx_);
  }
  run_.reset = job_.checkpoint.reset;
  if (!job_.validation.empty()) run_.validation = job_.validation;
  run_.tokenize = job_.tokenize;
  const SamplerConfig sampling{.seed = job_.seed,
                               .batch_type = job_.training.batch_type,
                               .batch_size = job_.training.batch_size,
                               .bucket_size = job_.bucket_size,
                               .shuffle = job_.shuffle};
  SamplerConfig unrecorded = sampling;  // how a checkpoint that does not say it was cut
  unrecorded.equal_windows = false;
  sampler_.emplace(job_.train, sampling, run_.sampling.value_or(unrecorded), run_.position);
  loader_ = std::make_unique<Loader>(
      job_.device, stream_, job_.train, *sampler_,
      LoaderConfig{
          .dp_rank = job_.mesh.dp->rank(), .dp = job_.mesh.dp->size(), .micro_batch_rows = job_.micro_batch_rows, .start = run_.position});
  started_ = reported_ = run_.counts;
  started_at_ = reported_at_ = shown_at_ = Clock::now();
}

void Trainer::resume(const FoundCheckpoint& found) {
  const Reset reset = without(job_.checkpoint.reset, recorded_reset(found.reader.manifest().run_state));
  const Resumed resumed =
      load_checkpoint(found.reader, {.ctx = ctx_, .storage = weights_, .shards = optimizer_, .reset_optimizer = reset.optimizer});
  run_ = run_state_from(resumed.run_state);
  apply(reset);
  step_state_.restore(run_.adam_count, run_.nonfinite_row);
  forget_other_bests();
  // A checkpoint of another directory is where this run begins; it is none of this run's own.
  if (found.reader.folder() == job_.run_dir + "/" + step_folder(resumed.step)) {
    saver_.resumed(resumed.step, found.damaged, run_.kept_best);
    keep_best();
  }
  job_.progress.committed = saver_.committed_step();
}

void Trainer::apply(const Reset& reset) {
  if (reset.optimizer) run_.adam_count = run_.nonfinite_row = 0;
  if (reset.data) {
    run_.position = {};
    run_.sampling.reset();
  }
  if (reset.scheduler) run_.schedule_start = run_.counts.step;
  if (reset.metrics) {
    run_.best.clear();
    run_.kept_best.clear();
    run_.validation_due = false;  // its record holds the best values of before
  }
}

void Trainer::take_weights(const CheckpointReader& initial) {
  const Untaken untaken = load_fitting_weights(initial, ctx_, weights_);
  const std::size_t all = flat_parts(parameters_).size(), fresh = untaken.missing.size() + untaken.other_shape.size();
  if (fresh == all) fail_input(fmt::format("checkpoint.init_from: {} has no tensor of a name and shape of this model", initial.folder()));
  std::string text = fmt::format("{} of {} tensors from {}", all - fresh, all, initial.folder());
  if (!untaken.missing.empty()) text += fmt::format("; drawn fresh, since it has none: {}", fmt::join(untaken.missing, ", "));
  if (!untaken.other_shape.empty()) text += fmt::format("; drawn fresh, since its shape differs: {}", fmt::join(untaken.other_shape, ", "));
  job_.log.info("init", text);
}

/// Values are compared with values of the same text, cut into the same words.
void Trainer::forget_other_bests() {
  const bool other_text = !run_.validation.empty() && !job_.validation.empty() && run_.validation != job_.validation;
  if (other_text && !run_.best.empty()) {
    job_.log.warn_once("resume", "the validation text has changed: the best scores are reset");
    run_.best.clear();
  }
  if (run_.tokenize != job_.tokenize && run_.best.erase("bleu") > 0) {
    job_.log.warn_once("resume", fmt::format("validation.tokenize {} -> {}: the best bleu is reset", run_.tokenize, job_.tokenize));
  }
}

}  // namespace weft

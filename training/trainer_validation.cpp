#include <utility>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "training/trainer.h"
#include "training/validation/best_file.h"
#include "training/validation/best_metrics.h"

// A validation of the loop: judged on every rank alike, recorded, and what its scores lead to.
namespace weft {

/// By what a validation judges.
std::string Trainer::judged() const {
  return fmt::format("{} {} {}", job_.validation, job_.tokenize, fmt::join(job_.training.valid_metrics, " "));
}

/// A validation that is due may have ended before the process did.
bool Trainer::recall_validation() {
  if (saver_.committed_step() != run_.counts.step) return false;
  std::optional<BestMetrics> best;
  if (is_root()) best = records_.read(run_.counts.step, judged());
  const std::string text = job_.mesh.control->broadcast(best ? to_json(*best).dump() : std::string(), 0);
  if (text.empty()) return false;
  run_.best = best_metrics_from(Json::parse(text, "the best values of rank 0"));
  run_.validation_due = false;
  keep_best();
  return true;
}

/// Whether it is done: a request to stop discards it.
bool Trainer::validate() {
  job_.progress.phase = Phase::kValidation;
  saver_.wait_until_read();
  if (optimizer_.has_average()) optimizer_.exchange_average(ctx_);
  const std::optional<std::vector<MetricScore>> scores = judge();
  if (optimizer_.has_average()) optimizer_.exchange_average(ctx_);
  if (!scores) return false;
  const bool was_due = std::exchange(run_.validation_due, false);
  note_scores(*scores);
  if (was_due && is_root()) records_.write(run_.counts.step, judged(), run_.best, job_.log);
  return true;
}

void Trainer::note_scores(std::span<const MetricScore> scores) {
  bool new_best = false;
  for (const MetricScore& score : scores) new_best |= note_score(score);
  if (!new_best) return;
  keep_best();
  if (job_.checkpoint.keep_best > 0) saver_.ensure_saved(run_.counts.step, saved_state());
  if (is_root()) write_best_file(job_.run_dir, run_.best, job_.log);
}

void Trainer::keep_best() {
  std::vector<std::int64_t> steps;
  for (const auto& [metric, best] : run_.best) {
    if (best.known()) steps.push_back(best.step);
  }
  if (job_.checkpoint.keep_best > 0 && !steps.empty()) saver_.keep_best(steps);
}

/// The values of valid_metrics, in their order, the same on every rank; nothing after a request to stop.
std::optional<std::vector<MetricScore>> Trainer::judge() {
  const auto stop = [this] { return agree_to_stop(); };
  const std::optional<Validator::Result> loss = validator_->run(ctx_, *model_, reducer_, job_.progress, stop);
  if (!loss) return std::nullopt;
  TranslationValidator::Result translated;
  if (translator_) {
    Context ctx = ctx_;
    ctx.training = false;
    for (BlockId block = 0; block < parameters_.num_blocks(); ++block) reducer_.acquire(ctx, block, Direction::kForward);
    std::optional<TranslationValidator::Result> result = translator_->run(ctx, run_.counts.step, job_.progress, stop);
    for (BlockId block = 0; block < parameters_.num_blocks(); ++block) reducer_.release(ctx, block);
    if (!result) return std::nullopt;
    translated = std::move(*result);
    if (!translated.warning.empty()) job_.log.warn("valid", translated.warning);
  }
  std::vector<MetricScore> scores;
  auto next = translated.scores.begin();
  for (const std::string& metric : job_.training.valid_metrics) {
    if (judges_translations(metric)) {
      scores.push_back(*next++);
    } else {
      scores.push_back({.metric = metric, .score = metric == "loss" ? loss->loss : loss->perplexity, .signature = ""});
    }
  }
  return scores;
}

bool Trainer::note_score(const MetricScore& score) {
  const int digits = score.signature.empty() ? 4 : 2;
  const bool warming_up = run_.counts.step < job_.training.schedule.warmup_steps;
  const bool is_best = note_value(run_.best, score.metric, score.score, run_.counts.step, job_.training.early_stopping.epsilon, warming_up);
  std::string text = fmt::format("step {} {} {:.{}f} {}", run_.counts.step, score.metric, without_sign_of_nan(score.score), digits,
                                 describe(run_.best.at(score.metric), digits));
  if (!score.signature.empty()) text += ", " + score.signature;
  if (is_root()) run_log_.write({.part = "valid", .text = text, .fields = {{"step", run_.counts.step}, {score.metric, score.score}}});
  return is_best;
}

}  // namespace weft

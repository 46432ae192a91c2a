#pragma once
#include <optional>
#include <string>
#include <string_view>

#include "data/dataset.h"
#include "training/run_counts.h"
#include "training/training_config.h"

namespace weft {

enum class Limit { kNone, kSteps, kEpochs, kTokens, kTime, kEarlyStopping };
/// The key: train_steps, max_epochs, max_tokens_seen, stop_time_hours, early_stopping; "none".
std::string_view name(Limit);

/// The limit that ends the run now. Of several, the one that means "done" comes before the time limit, which means "requeue".
/// `hours`: since this process started training.
Limit limit_reached(const LimitsConfig&, const RunCounts&, double hours);

/// What one pass over the data takes.
struct EpochSize {
  double updates = 0;  // about: the last one of a window need not be full
  double target_tokens = 0;
};
EpochSize epoch_size(const Dataset&, BatchType, std::int64_t batch_size);

/// Says that a limit ends the run inside the warm-up, and which; empty: none does, or train_steps ends it before decay_steps: the first
/// part of a run that is meant to go on.
std::string warmup_note(const LimitsConfig&, const ScheduleConfig&, const EpochSize&);

/// Seconds until the first limit at the speed of this process, which went from `start` to `now` in `seconds`. Empty when there is no
/// speed yet.
std::optional<double> seconds_left(const LimitsConfig&, const RunCounts& start, const RunCounts& now, double seconds);

}  // namespace weft

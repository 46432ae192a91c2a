#include "training/limits.h"

#include <algorithm>
#include <array>
#include <cmath>

#include <fmt/format.h>

namespace weft {

std::string_view name(Limit limit) {
  constexpr std::array<std::string_view, 6> kNames{"none",          "train_steps", "max_epochs", "max_tokens_seen", "stop_time_hours",
                                                   "early_stopping"};
  return kNames.at(static_cast<std::size_t>(limit));  // in the order of Limit
}

Limit limit_reached(const LimitsConfig& limits, const RunCounts& now, double hours) {
  if (limits.train_steps > 0 && now.step >= limits.train_steps) return Limit::kSteps;
  if (limits.max_epochs > 0 && now.epochs >= limits.max_epochs) return Limit::kEpochs;
  if (limits.max_tokens_seen > 0 && now.target_tokens >= limits.max_tokens_seen) return Limit::kTokens;
  if (limits.stop_time_hours > 0 && hours >= limits.stop_time_hours) return Limit::kTime;
  return Limit::kNone;
}

EpochSize epoch_size(const Dataset& data, BatchType type, std::int64_t batch_size) {
  std::int64_t cost = data.size();
  if (type == BatchType::kTokens) {
    cost = 0;
    for (std::int64_t i = 0; i < data.size(); ++i) cost += data.lengths(i).longer();
  }
  return {.updates = std::ceil(static_cast<double>(cost) / static_cast<double>(batch_size)),
          .target_tokens = static_cast<double>(data.token_count(Side::kTarget))};
}

std::string warmup_note(const LimitsConfig& limits, const ScheduleConfig& schedule, const EpochSize& epoch) {
  if (limits.train_steps > 0 && schedule.decay_steps > limits.train_steps) return "";
  std::string key;
  double first = static_cast<double>(schedule.warmup_steps);
  const auto consider = [&](Limit limit, double value, double updates) {
    if (value <= 0 || updates >= first) return;
    first = updates;
    key = fmt::format("training.{} = {}", name(limit), value);
  };
  const auto tokens = static_cast<double>(limits.max_tokens_seen);
  consider(Limit::kSteps, static_cast<double>(limits.train_steps), static_cast<double>(limits.train_steps));
  consider(Limit::kEpochs, limits.max_epochs, limits.max_epochs * epoch.updates);
  consider(Limit::kTokens, tokens, tokens / epoch.target_tokens * epoch.updates);
  if (key.empty()) return "";
  return fmt::format("{} ends the run after about {:.0f} updates, inside the warm-up of {}: the peak learning rate is never reached", key,
                     first, schedule.warmup_steps);
}

std::optional<double> seconds_left(const LimitsConfig& limits, const RunCounts& start, const RunCounts& now, double seconds) {
  std::optional<double> least;
  const auto consider = [&](double candidate) { least = std::max(0.0, std::min(least.value_or(candidate), candidate)); };
  const auto at_this_speed = [&](double limit, double from, double to) {
    if (limit > 0 && to > from && seconds > 0) consider((limit - to) * seconds / (to - from));
  };
  at_this_speed(static_cast<double>(limits.train_steps), static_cast<double>(start.step), static_cast<double>(now.step));
  at_this_speed(limits.max_epochs, start.epochs, now.epochs);
  at_this_speed(static_cast<double>(limits.max_tokens_seen), static_cast<double>(start.target_tokens),
                static_cast<double>(now.target_tokens));
  if (limits.stop_time_hours > 0) consider(limits.stop_time_hours * 3600 - seconds);
  return least;
}

}  // namespace weft

#include "training/validation/best_metrics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weft {

bool larger_is_better(std::string_view metric) {
  return metric != "loss" && metric != "perplexity";
}

bool note_value(BestMetrics& metrics, const std::string& metric, double value, std::int64_t step, double epsilon, bool warming_up) {
  constexpr double kShowsAsNothing = 0.005;
  BestValue& best = metrics.try_emplace(metric, BestValue{.value = std::nan(""), .step = step}).first->second;
  const bool larger = larger_is_better(metric);
  const bool nothing = !best.known() && larger && value < kShowsAsNothing;
  if (nothing && warming_up) return false;
  const bool better = !best.known() || (larger ? value > best.value + epsilon : value < best.value - epsilon);
  if (std::isfinite(value) && better && !nothing) {
    best = {.value = value, .step = step, .stalled = 0};
    return true;
  }
  best.stalled += 1;
  return false;
}

std::string describe(const BestValue& best, int digits) {
  const std::string last = best.known() ? fmt::format("last best: {:.{}f} at step {}", best.value, digits, best.step) : "no best yet";
  if (best.stalled > 0) return fmt::format("stalled {} time{} ({})", best.stalled, best.stalled == 1 ? "" : "s", last);
  return best.known() ? "new best" : last;
}

bool has_stalled(const BestMetrics& best, std::span<const std::string> metrics, const EarlyStoppingConfig& config) {
  if (config.validations == 0) return false;
  const auto stalled = [&](const std::string& metric) {
    const auto found = best.find(metric);
    return found != best.end() && found->second.stalled >= config.validations;
  };
  switch (config.on) {
    case EarlyStoppingOn::kFirst:
      return stalled(metrics.front());
    case EarlyStoppingOn::kAll:
      return std::ranges::all_of(metrics, stalled);
    case EarlyStoppingOn::kAny:
      return std::ranges::any_of(metrics, stalled);
  }
  return false;
}

}  // namespace weft

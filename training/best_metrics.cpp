#include "training/best_metrics.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

namespace weft {

bool larger_is_better(std::string_view metric) {
  return metric != "loss" && metric != "perplexity";
}

bool note_value(BestMetrics& best, const std::string& metric, double value, std::int64_t step, double epsilon) {
  const auto known = best.find(metric);
  const auto better = [&](double than) { return larger_is_better(metric) ? value > than + epsilon : value < than - epsilon; };
  if (!std::isnan(value) && (known == best.end() || std::isnan(known->second.value) || better(known->second.value))) {
    best[metric] = {.value = value, .step = step, .stalled = 0};
    return true;
  }
  if (known == best.end()) best[metric] = {.value = value, .step = step, .stalled = 0};
  best[metric].stalled += 1;
  return false;
}

std::string describe(const BestValue& best, int digits) {
  if (best.stalled == 0) return "new best";
  return fmt::format("stalled {} time{} (last best: {:.{}f} at step {})", best.stalled, best.stalled == 1 ? "" : "s", best.value, digits,
                     best.step);
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

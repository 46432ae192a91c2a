#include "training/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

#include "runtime/error.h"

namespace weft {
namespace {

/// How much of the way from `begin` to `end` is done at `step`, in [0, 1].
double fraction(std::int64_t step, std::int64_t begin, std::int64_t end) {
  if (end <= begin) return 1;
  return std::clamp(static_cast<double>(step - begin) / static_cast<double>(end - begin), 0.0, 1.0);
}

}  // namespace

double learning_rate(const ScheduleConfig& s, std::int64_t step, std::int64_t train_steps) {
  const double peak = s.learning_rate;
  const std::int64_t decay_end = s.decay_steps > 0 ? s.decay_steps : train_steps;
  if (step < 1) fail("learning_rate: steps count from 1");
  if (step < s.warmup_steps) {
    return s.warmup_init_lr + (peak - s.warmup_init_lr) * static_cast<double>(step) / static_cast<double>(s.warmup_steps);
  }
  switch (s.kind) {
    case LrScheduler::kConstant:
      return peak;
    case LrScheduler::kInverseSqrt:
      return peak * std::sqrt(static_cast<double>(std::max<std::int64_t>(s.warmup_steps, 1)) / static_cast<double>(step));
    case LrScheduler::kCosine: {
      if (decay_end <= 0) fail("learning_rate: cosine needs decay_steps or train_steps");
      const double f = fraction(step, s.warmup_steps, decay_end);
      return s.min_lr + (peak - s.min_lr) * (1 + std::cos(std::numbers::pi * f)) / 2;
    }
    case LrScheduler::kLinear:
      if (decay_end <= 0) fail("learning_rate: linear needs decay_steps or train_steps");
      return peak - (peak - s.min_lr) * fraction(step, s.warmup_steps, decay_end);
    case LrScheduler::kWsd:
      if (train_steps <= 0 || s.decay_steps <= 0) fail("learning_rate: wsd needs decay_steps and train_steps");
      return peak - (peak - s.min_lr) * fraction(step, train_steps - s.decay_steps, train_steps);
  }
  fail("learning_rate: unknown scheduler");
}

}  // namespace weft

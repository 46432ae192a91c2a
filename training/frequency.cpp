#include "training/frequency.h"

#include <cmath>

namespace weft {
namespace {

bool crosses(std::int64_t before, std::int64_t after, double amount) {
  const auto every = static_cast<std::int64_t>(amount);
  return every > 0 && before / every < after / every;
}

}  // namespace

bool due(const Frequency& frequency, const RunCounts& before, const RunCounts& after) {
  if (!(frequency.amount > 0)) return false;
  switch (frequency.unit) {
    case Frequency::Unit::kUpdates:
      return crosses(before.step, after.step, frequency.amount);
    case Frequency::Unit::kTokens:
      return crosses(before.target_tokens, after.target_tokens, frequency.amount);
    case Frequency::Unit::kEpochs:
      break;
  }
  // floor never falls as epochs grow, so every multiple is seen by exactly one update even where the division rounds.
  return std::floor(before.epochs / frequency.amount) < std::floor(after.epochs / frequency.amount);
}

}  // namespace weft

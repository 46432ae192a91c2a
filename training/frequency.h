#pragma once
#include <cstdint>

#include "training/run_counts.h"

namespace weft {

/// A *_freq key: every N updates, target tokens or epochs. amount 0: never. Updates and tokens are whole numbers below 2^53.
struct Frequency {
  enum class Unit { kUpdates, kTokens, kEpochs } unit = Unit::kUpdates;
  double amount = 0;

  bool operator==(const Frequency&) const = default;
};

/// Whether the update that brought the run from `before` to `after` reached or passed a multiple of the frequency. Counted from the
/// start of the run, not of the process, so a resume changes nothing; an update that passes several multiples is due once.
bool due(const Frequency&, const RunCounts& before, const RunCounts& after);

}  // namespace weft

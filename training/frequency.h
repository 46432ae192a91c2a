#pragma once
#include <cstdint>

namespace weft {

/// A *_freq key: every so many updates, target tokens or epochs. amount 0: never.
struct Frequency {
  enum class Unit { kUpdates, kTokens, kEpochs } unit = Unit::kUpdates;
  double amount = 0;
};

}  // namespace weft

#pragma once
#include <algorithm>
#include <cstdint>

#include "runtime/kernels/attention.h"

namespace weft::kernels::reference {

/// Turns the pairs of a head (D) by the angles of `position`; back: by their negatives, which is also what the gradient goes through.
template <class S>
void rotate(const AttentionPositions& positions, std::int64_t position, bool back, std::int64_t size, S* x) {
  if (!positions.rotation.defined()) return;
  const std::int64_t half = size / 2;
  const S *cosines = positions.rotation.as<S>() + std::max<std::int64_t>(position, 0) * size, *sines = cosines + half;
  for (std::int64_t i = 0; i < half; ++i) {
    const bool neighbours = positions.pairing == RotaryPairing::kInterleaved;
    S &a = x[neighbours ? 2 * i : i], &b = x[neighbours ? 2 * i + 1 : i + half];
    const S first = a, second = b, sine = back ? -sines[i] : sines[i];
    a = first * cosines[i] - second * sine;
    b = second * cosines[i] + first * sine;
  }
}

}  // namespace weft::kernels::reference

#pragma once
#include "runtime/kernels/cpu/isa/vector.h"

// The innermost part of a matrix product: a tile of y that stays in registers while k runs. Element (m, n) is summed in the order of k
// whatever the tile, so that its bits do not depend on how many rows and columns are computed beside it.
namespace weft::cpu::WEFT_ISA {

inline constexpr std::int64_t kPanel = 2 * kLanes;       // columns of a panel of packed b
inline constexpr int kTileRows = kLanes == 16 ? 12 : 6;  // rows x two vectors of sums, two of b and one of a: 16 (AVX-512: 32) registers
inline constexpr int kMostPanels = 4;                    // that one row takes at once: a sum every cycle or two hides its latency

/// What happens to a sum on its way to y.
struct Finish {
  bool add;           // to what y holds
  const float* bias;  // of the tile's first column, or null
  bool relu;
};

struct Tile {
  std::int64_t depth;  // of k
  const float* a;      // (m, k) at m * a_row + k * a_column
  std::int64_t a_row, a_column;
  const float* b;  // panel p starts at p * b_panel; its row k is kPanel floats
  std::int64_t b_panel;
  float* y;
  std::int64_t y_row;
  std::int64_t columns;  // of y; the rest of the panels is padding
  Finish finish;
};

inline float finished(float sum, float before, float bias, const Finish& finish) {
  if (finish.add) sum += before;
  if (finish.bias != nullptr) sum += bias;
  return finish.relu && sum < 0 ? 0.f : sum;
}

inline Vector finished(Vector sum, const float* y, const float* bias, const Finish& finish) {
  if (finish.add) sum += load_vector(y);
  if (finish.bias != nullptr) sum += load_vector(bias);
  return finish.relu ? (sum < Vector{} ? Vector{} : sum) : sum;
}

/// kR rows and kP panels of y. The loops over registers are unrolled by force, and the function is compiled by itself: else sums pass
/// through the stack.
template <int kR, int kP>
[[gnu::noinline]] void compute_tile(const Tile& t) {
  constexpr int kVectors = 2 * kP;
  Vector sum[kR][kVectors];
#pragma GCC unroll 16
  for (int r = 0; r < kR; ++r) {
    __builtin_prefetch(t.y + r * t.y_row, 1);
    __builtin_prefetch(t.y + r * t.y_row + min(t.columns, kP * kPanel) - 1, 1);
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) sum[r][v] = Vector{};
  }
  constexpr int kHalf = (kR + 1) / 2;  // two pointers reach six rows by the processor's own address arithmetic
  const float *upper = t.a, *lower = t.a + kHalf * t.a_row, *b = t.b;
  const std::int64_t row = t.a_row, column = t.a_column, panel = t.b_panel, depth = t.depth;
#pragma GCC unroll 4
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector right[kVectors];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) right[v] = load_vector(b + (v / 2) * panel + (v % 2) * kLanes);
#pragma GCC unroll 16
    for (int r = 0; r < kR; ++r) {
      const float left = r < kHalf ? upper[r * row] : lower[(r - kHalf) * row];
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) sum[r][v] += left * right[v];
    }
    upper += column;
    lower += column;
    b += kPanel;
  }
  if (t.columns >= kP * kPanel) {
#pragma GCC unroll 16
    for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 8
      for (int v = 0; v < kVectors; ++v) {
        float* y = t.y + r * t.y_row + v * kLanes;
        store_vector(y, finished(sum[r][v], y, t.finish.bias + v * kLanes, t.finish));
      }
    }
    return;
  }
  for (int r = 0; r < kR; ++r) {
    float whole[kVectors * kLanes];
#pragma GCC unroll 8
    for (int v = 0; v < kVectors; ++v) store_vector(whole + v * kLanes, sum[r][v]);
    float* y = t.y + r * t.y_row;
    for (std::int64_t n = 0; n < t.columns; ++n) {
      y[n] = finished(whole[n], t.finish.add ? y[n] : 0.f, t.finish.bias != nullptr ? t.finish.bias[n] : 0.f, t.finish);
    }
  }
}

/// So many panels that few rows keep the processor busy too.
inline std::int64_t panels_at_once(std::int64_t rows) {
  return rows == 1 ? kMostPanels : rows <= kTileRows / 2 ? 2 : 1;
}

template <int kR>
inline void compute_tile(std::int64_t rows, std::int64_t panels, const Tile& t) {
  if (rows < kR) {
    if constexpr (kR > 1) compute_tile<kR - 1>(rows, panels, t);
    return;
  }
  if constexpr (kR == 1) {
    if (panels == kMostPanels) return compute_tile<kR, kMostPanels>(t);
  }
  if constexpr (kR <= kTileRows / 2) {
    if (panels == 2) return compute_tile<kR, 2>(t);
  }
  compute_tile<kR, 1>(t);
}

}  // namespace weft::cpu::WEFT_ISA

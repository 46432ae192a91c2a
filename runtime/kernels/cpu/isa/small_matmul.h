#pragma once
#include "runtime/kernels/cpu/isa/vector.h"

// Products of the small matrices of attention, which lie in a cache.
namespace weft::cpu::WEFT_ISA {

// Vectors of a row of the result, and rows, that stay in registers: 6 x 4 of 32, or 6 x 2 of 16.
inline constexpr int kVectors = kLanes == 16 ? 4 : 2;
inline constexpr int kRows = 6;

/// c = a b, or c += a b. a: element (m, k) at m * row + k * column; b (K, N), c (M, N): rows of a multiple of kLanes floats.
struct SmallMatmul {
  const float* a;
  std::int64_t row, column;
  const float* b;
  std::int64_t b_row;
  float* c;
  std::int64_t c_row;
  std::int64_t m, k, n;
  bool accumulate;
};

// The loops over registers are unrolled by force: else the sums pass through the stack on their way in and out.
template <int kR, int kN>
inline void register_block(const SmallMatmul& s, std::int64_t m, std::int64_t n) {
  Vector sum[kR][kN];
  float* c = s.c + m * s.c_row + n;
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kN; ++v) sum[r][v] = s.accumulate ? load_vector(c + r * s.c_row + v * kLanes) : Vector{};
  }
  const float *a = s.a + m * s.row, *b = s.b + n;
  const std::int64_t row = s.row, column = s.column, b_row = s.b_row, depth = s.k;
  for (std::int64_t k = 0; k < depth; ++k) {
    Vector right[kN];
#pragma GCC unroll 8
    for (int v = 0; v < kN; ++v) right[v] = load_vector(b + v * kLanes);
#pragma GCC unroll 8
    for (int r = 0; r < kR; ++r) {
      const float left = a[r * row];
#pragma GCC unroll 8
      for (int v = 0; v < kN; ++v) sum[r][v] += left * right[v];
    }
    a += column;
    b += b_row;
  }
#pragma GCC unroll 8
  for (int r = 0; r < kR; ++r) {
#pragma GCC unroll 8
    for (int v = 0; v < kN; ++v) store_vector(c + r * s.c_row + v * kLanes, sum[r][v]);
  }
}

template <int kN>
inline void column_block(const SmallMatmul& s, std::int64_t n) {
  std::int64_t m = 0;
  for (; m + kRows <= s.m; m += kRows) register_block<kRows, kN>(s, m, n);
  switch (s.m - m) {
    case 5:
      return register_block<5, kN>(s, m, n);
    case 4:
      return register_block<4, kN>(s, m, n);
    case 3:
      return register_block<3, kN>(s, m, n);
    case 2:
      return register_block<2, kN>(s, m, n);
    case 1:
      return register_block<1, kN>(s, m, n);
    default:
      return;
  }
}

inline void multiply(const SmallMatmul& s) {
  std::int64_t n = 0;
  for (; n + kVectors * kLanes <= s.n; n += kVectors * kLanes) column_block<kVectors>(s, n);
  for (; n + 2 * kLanes <= s.n; n += 2 * kLanes) column_block<2>(s, n);
  for (; n < s.n; n += kLanes) column_block<1>(s, n);
}

}  // namespace weft::cpu::WEFT_ISA

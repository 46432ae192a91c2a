#pragma once
#include "runtime/kernels/cpu/isa/gemm_tile.h"
#include "runtime/kernels/cpu/isa/kernels.h"

// Copies of parts of the two factors in the order in which a tile reads them.
namespace weft::cpu::WEFT_ISA {

/// An 8 x 8 block of floats, transposed in registers.
inline void transpose_8x8(const float* from, std::int64_t from_row, float* to, std::int64_t to_row) {
  __m256 a[8], b[8];
#pragma GCC unroll 8
  for (int i = 0; i < 8; ++i) a[i] = _mm256_loadu_ps(from + i * from_row);
#pragma GCC unroll 4
  for (int i = 0; i < 8; i += 2) {
    b[i] = _mm256_unpacklo_ps(a[i], a[i + 1]);
    b[i + 1] = _mm256_unpackhi_ps(a[i], a[i + 1]);
  }
#pragma GCC unroll 2
  for (int i = 0; i < 8; i += 4) {
    a[i] = _mm256_shuffle_ps(b[i], b[i + 2], 0x44);
    a[i + 1] = _mm256_shuffle_ps(b[i], b[i + 2], 0xee);
    a[i + 2] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0x44);
    a[i + 3] = _mm256_shuffle_ps(b[i + 1], b[i + 3], 0xee);
  }
#pragma GCC unroll 4
  for (int i = 0; i < 4; ++i) {
    _mm256_storeu_ps(to + i * to_row, _mm256_permute2f128_ps(a[i], a[i + 4], 0x20));
    _mm256_storeu_ps(to + (i + 4) * to_row, _mm256_permute2f128_ps(a[i], a[i + 4], 0x31));
  }
}

/// b (K, N), or (N, K) when transposed, rows `stride` elements apart.
template <class S>
struct RightFactor {
  const S* data;
  bool transposed;
  std::int64_t stride;
};

/// Rows first_k .. first_k + depth and columns first_n .. first_n + columns (at most kPanel) as one panel; what is missing becomes 0.
template <class S>
inline void pack_panel(const RightFactor<S>& b, std::int64_t first_k, std::int64_t depth, std::int64_t first_n, std::int64_t columns,
                       float* to) {
  const std::int64_t k_step = b.transposed ? 1 : b.stride, n_step = b.transposed ? b.stride : 1;
  const S* from = b.data + first_k * k_step + first_n * n_step;
  std::int64_t k = 0;
  if constexpr (sizeof(S) == sizeof(float)) {
    if (columns == kPanel && b.transposed) {
      for (; k + 8 <= depth; k += 8) {
        for (std::int64_t n = 0; n < kPanel; n += 8) transpose_8x8(from + k + n * n_step, n_step, to + k * kPanel + n, kPanel);
      }
    } else if (columns == kPanel) {
      for (; k < depth; ++k) {
        for (std::int64_t n = 0; n < kPanel; n += kLanes) store_vector(to + k * kPanel + n, load_vector(from + k * k_step + n));
      }
    }
  }
  for (; k < depth; ++k) {
    for (std::int64_t n = 0; n < kPanel; ++n) to[k * kPanel + n] = n < columns ? load(from[k * k_step + n * n_step]) : 0.f;
  }
}

/// Floats that pack_transposed writes, for `rows` rows of y.
inline std::int64_t packed_transposed_floats(std::int64_t depth, std::int64_t rows) {
  return depth * ceil_div(rows, kTileRows) * kTileRows + kLanes;
}

/// Rows first_k .. of a transposed a (K, M), columns first_m .. first_m + rows, as tiles one after another: (depth, kTileRows) each.
inline void pack_transposed(const Gemm& g, std::int64_t first_k, std::int64_t depth, std::int64_t first_m, std::int64_t rows, float* to) {
  for (std::int64_t m = 0; m < rows; m += kTileRows, to += depth * kTileRows) {
    const float* from = g.a + first_k * g.a_stride + first_m + m;
    const std::int64_t count = min(kTileRows, rows - m);
    // A register holds more than a row of the tile: what is too much is overwritten by the next row.
    if (first_m + m + kLanes <= g.m) {
      for (std::int64_t k = 0; k < depth; ++k) store_vector(to + k * kTileRows, load_vector(from + k * g.a_stride));
      continue;
    }
    for (std::int64_t k = 0; k < depth; ++k) {
      for (std::int64_t r = 0; r < count; ++r) to[k * kTileRows + r] = from[k * g.a_stride + r];
    }
  }
}

}  // namespace weft::cpu::WEFT_ISA

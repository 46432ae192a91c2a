#pragma once
#include <immintrin.h>

#include "runtime/kernels/cpu/isa/isa.h"
#include "runtime/kernels/cpu/isa/lanes.h"

// Philox4x32-10 (runtime/random.h) for many columns of one row at a time: the same words, four a counter, in the order of the columns.
namespace weft::cpu::WEFT_ISA {

#if defined(__AVX512F__)
// Eight counters, each in the low half of a 64-bit lane; what stands in the high halves is never read.
using Words = __m512i;
inline constexpr std::int64_t kCounters = 8;
inline Words broadcast(std::uint32_t x) {
  return _mm512_set1_epi64(x);
}
inline Words first_counters(std::uint32_t x) {
  return _mm512_add_epi64(_mm512_set1_epi64(x), _mm512_set_epi64(7, 6, 5, 4, 3, 2, 1, 0));
}
inline Words multiply(Words a, Words b) {
  return _mm512_mul_epu32(a, b);
}
inline Words high(Words a) {
  return _mm512_srli_epi64(a, 32);
}
inline Words exclusive_or(Words a, Words b, Words c) {
  return _mm512_ternarylogic_epi64(a, b, c, 0x96);
}
inline void store_in_order(Words w0, Words w1, Words w2, Words w3, std::uint32_t* out) {
  const Words w01 = _mm512_mask_blend_epi32(0xaaaa, w0, _mm512_slli_epi64(w1, 32));
  const Words w23 = _mm512_mask_blend_epi32(0xaaaa, w2, _mm512_slli_epi64(w3, 32));
  _mm512_storeu_si512(out, _mm512_permutex2var_epi64(w01, _mm512_set_epi64(11, 3, 10, 2, 9, 1, 8, 0), w23));
  _mm512_storeu_si512(out + 16, _mm512_permutex2var_epi64(w01, _mm512_set_epi64(15, 7, 14, 6, 13, 5, 12, 4), w23));
}
#else
using Words = __m256i;
inline constexpr std::int64_t kCounters = 4;
inline Words broadcast(std::uint32_t x) {
  return _mm256_set1_epi64x(x);
}
inline Words first_counters(std::uint32_t x) {
  return _mm256_add_epi64(_mm256_set1_epi64x(x), _mm256_set_epi64x(3, 2, 1, 0));
}
inline Words multiply(Words a, Words b) {
  return _mm256_mul_epu32(a, b);
}
inline Words high(Words a) {
  return _mm256_srli_epi64(a, 32);
}
inline Words exclusive_or(Words a, Words b, Words c) {
  return _mm256_xor_si256(_mm256_xor_si256(a, b), c);
}
inline void store_in_order(Words w0, Words w1, Words w2, Words w3, std::uint32_t* out) {
  const Words w01 = _mm256_blend_epi32(w0, _mm256_slli_epi64(w1, 32), 0xaa);
  const Words w23 = _mm256_blend_epi32(w2, _mm256_slli_epi64(w3, 32), 0xaa);
  const Words even = _mm256_unpacklo_epi64(w01, w23), odd = _mm256_unpackhi_epi64(w01, w23);
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out), _mm256_permute2x128_si256(even, odd, 0x20));
  _mm256_storeu_si256(reinterpret_cast<__m256i*>(out + 8), _mm256_permute2x128_si256(even, odd, 0x31));
}
#endif

inline constexpr std::int64_t kWordsAtOnce = 4 * kCounters;

/// The words of columns `column` to column + count of a row: returns the first of them, which lies in `out`, since a counter gives the
/// words of four columns. `out` has room for count rounded up to a multiple of 4, and kWordsAtOnce more.
inline const std::uint32_t* row_words(const RowDropout& dropout, std::int64_t row, std::int64_t column, std::int64_t count,
                                      std::uint32_t* out) {
  const std::int64_t first = dropout.first_column + column, before = first % 4, end = before + count;
  const Words m0 = broadcast(0xD2511F53u), m1 = broadcast(0xCD9E8D57u);
  const auto sample = static_cast<std::uint32_t>(dropout.sample[row]), position = static_cast<std::uint32_t>(dropout.positions[row]);
  for (std::int64_t c = 0; c < end; c += kWordsAtOnce) {
    Words w0 = broadcast(dropout.step), w1 = broadcast(sample), w2 = broadcast(position);
    Words w3 = first_counters(static_cast<std::uint32_t>((first + c) / 4));
    std::uint32_t k0 = dropout.key_low, k1 = dropout.key_high;
    for (int round = 0; round < 10; ++round) {
      const Words p0 = multiply(w0, m0), p1 = multiply(w2, m1);
      w0 = exclusive_or(high(p1), w1, broadcast(k0));
      w1 = p1;
      w2 = exclusive_or(high(p0), w3, broadcast(k1));
      w3 = p0;
      k0 += 0x9E3779B9u;
      k1 += 0xBB67AE85u;
    }
    store_in_order(w0, w1, w2, w3, out + c);
  }
  return out + before;
}

// Columns that a loop over a row takes at a time: their words lie in an array on the stack.
inline constexpr std::int64_t kTile = 512;

/// What dropout leaves: local copies, so that the compiler may choose without a branch.
struct Keep {
  std::uint32_t threshold;
  float scale;
  explicit Keep(const RowDropout& dropout) : threshold(dropout.threshold), scale(dropout.scale) {}
  /// What element `word` is multiplied by.
  float operator()(std::uint32_t word) const { return word >= threshold ? scale : 0.f; }
};

/// y = residual + dropout(x), or dropout(x) where residual is null: `count` (at most kTile) elements of row `row`, from column `begin` on.
/// y may be x or residual.
template <class X, class Y>
inline void drop_tile(const RowDropout& dropout, std::int64_t row, std::int64_t begin, std::int64_t count, const X* x, const Y* residual,
                      Y* y) {
  if (!dropout.active && residual != nullptr) {
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(y[c], load(residual[c]) + load(x[c]));
  } else if (!dropout.active) {
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(y[c], load(x[c]));
  } else {
    std::uint32_t room[kTile + kWordsAtOnce];
    const std::uint32_t* words = row_words(dropout, row, begin, count, room);
    const Keep keep(dropout);
    if (residual != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) store(y[c], load(residual[c]) + load(x[c]) * keep(words[c]));
    } else {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) store(y[c], load(x[c]) * keep(words[c]));
    }
  }
}

/// The same for a whole row of `columns`.
template <class S>
inline void drop_row(const RowDropout& dropout, std::int64_t row, std::int64_t columns, const S* x, const S* residual, S* y) {
  for (std::int64_t c = 0; c < columns; c += kTile) {
    drop_tile(dropout, row, c, min(kTile, columns - c), x + c, residual != nullptr ? residual + c : nullptr, y + c);
  }
}

}  // namespace weft::cpu::WEFT_ISA

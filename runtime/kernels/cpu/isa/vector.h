#pragma once
#include <immintrin.h>

#include "runtime/kernels/cpu/isa/lanes.h"

// One register of floats, for rows so short that a loop the compiler vectorises would be all preparation.
namespace weft::cpu::WEFT_ISA {

#if defined(__AVX512F__)
inline constexpr std::int64_t kLanes = 16;
#else
inline constexpr std::int64_t kLanes = 8;
#endif
using Vector = float __attribute__((vector_size(kLanes * 4)));
using IntVector = std::int32_t __attribute__((vector_size(kLanes * 4)));
using WordVector = std::uint32_t __attribute__((vector_size(kLanes * 4)));
using UnalignedVector = float __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));
using UnalignedWords = std::uint32_t __attribute__((vector_size(kLanes * 4), aligned(4), may_alias));

inline Vector load_vector(const float* p) {
  return *reinterpret_cast<const UnalignedVector*>(p);
}
inline void store_vector(float* p, Vector v) {
  *reinterpret_cast<UnalignedVector*>(p) = v;
}
inline WordVector load_words(const std::uint32_t* p) {
  return *reinterpret_cast<const UnalignedWords*>(p);
}
inline std::int64_t padded(std::int64_t size) {
  return ceil_div(size, kLanes) * kLanes;
}

/// first, first + 1, ...
inline IntVector count_from(std::int32_t first) {
#if defined(__AVX512F__)
  return IntVector{0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15} + first;
#else
  return IntVector{0, 1, 2, 3, 4, 5, 6, 7} + first;
#endif
}

inline float sum_of(Vector v) {
#if defined(__AVX512F__)
  return _mm512_reduce_add_ps(reinterpret_cast<__m512>(v));
#else
  const __m256 all = reinterpret_cast<__m256>(v);
  const __m128 four = _mm_add_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
  const __m128 two = _mm_add_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_add_ss(two, _mm_movehdup_ps(two)));
#endif
}

inline float largest_of(Vector v) {
#if defined(__AVX512F__)
  return _mm512_reduce_max_ps(reinterpret_cast<__m512>(v));
#else
  const __m256 all = reinterpret_cast<__m256>(v);
  const __m128 four = _mm_max_ps(_mm256_castps256_ps128(all), _mm256_extractf128_ps(all, 1));
  const __m128 two = _mm_max_ps(four, _mm_movehl_ps(four, four));
  return _mm_cvtss_f32(_mm_max_ss(two, _mm_movehdup_ps(two)));
#endif
}

/// p 2^n, for whole n.
inline Vector times_power(Vector p, Vector n) {
#if defined(__AVX512F__)
  return reinterpret_cast<Vector>(_mm512_scalef_ps(reinterpret_cast<__m512>(p), reinterpret_cast<__m512>(n)));
#else
  return p * reinterpret_cast<Vector>((__builtin_convertvector(n, IntVector) + 127) << 23);
#endif
}

/// e^x as in lanes.h, for x up to 80: 0 below -87.3, NaN for NaN.
inline Vector exponential(Vector x) {
  const Vector magic = Vector{} + 12582912.f;  // 1.5 x 2^23: what is added to it loses its fraction
  const Vector low = Vector{} - 87.3f;
  const Vector y = x < low ? low : x;
  const Vector n = (y * 1.44269504088896341f + magic) - magic;
  Vector r = y - n * 0.693145751953125f;
  r = r - n * 1.42860682030941723e-6f;
  Vector p = Vector{} + 1.394869993e-3f;
  p = p * r + 8.375212550e-3f;
  p = p * r + 4.166621715e-2f;
  p = p * r + 1.666641384e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  return x < low ? Vector{} : times_power(p, n);
}

/// y = exp(x - max).
inline void exponentials_of(const float* x, float max, std::int64_t size, float* y) {
  const std::int64_t whole = size / kLanes * kLanes;
  for (std::int64_t v = 0; v < whole; v += kLanes) store_vector(y + v, exponential(load_vector(x + v) - max));
  for (std::int64_t v = whole; v < size; ++v) y[v] = exponential(x[v] - max);
}

}  // namespace weft::cpu::WEFT_ISA

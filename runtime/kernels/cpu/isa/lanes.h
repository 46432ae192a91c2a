#pragma once
#include <cstdint>

// Storage types, rounding and elementary functions of the kernels compiled once per instruction set. All is in the namespace of that set
// (WEFT_ISA), so that no copy is ever shared with another. Plain code: the compiler turns the loops around it into vectors.
namespace weft::cpu::WEFT_ISA {

struct bf16 {
  std::uint16_t bits;
};

inline float load(float x) {
  return x;
}
inline float load(bf16 x) {
  return __builtin_bit_cast(float, static_cast<std::uint32_t>(x.bits) << 16);
}
inline void store(float& to, float x) {
  to = x;
}
/// To nearest, ties to even; NaN stays NaN.
inline void store(bf16& to, float x) {
  const auto u = __builtin_bit_cast(std::uint32_t, x);
  const std::uint32_t rounded = (u + 0x7fffu + ((u >> 16) & 1u)) >> 16;
  const std::uint32_t quiet = (u >> 16) | 0x40u;
  to.bits = static_cast<std::uint16_t>((u & 0x7fffffffu) > 0x7f800000u ? quiet : rounded);
}

template <class S>
inline S* at(void* data, std::int64_t index) {
  return static_cast<S*>(data) + index;
}
template <class S>
inline const S* at(const void* data, std::int64_t index) {
  return static_cast<const S*>(data) + index;
}

inline std::int64_t min(std::int64_t a, std::int64_t b) {
  return a < b ? a : b;
}
inline std::int64_t ceil_div(std::int64_t a, std::int64_t b) {
  return (a + b - 1) / b;
}

/// e^x, relative error below 2e-7 where the result is normal; 0 below -87.3, inf above 88.7, NaN for NaN. x = n ln 2 + r, |r| <= ln 2 / 2,
/// and a polynomial of degree 6, fitted at Chebyshev's nodes (2e-8).
inline float exponential(float x) {
  const float n = __builtin_rintf(x * 1.44269504088896341f);
  float r = x - n * 0.693145751953125f;
  r = r - n * 1.42860682030941723e-6f;
  float p = 1.394869993e-3f;
  p = p * r + 8.375212550e-3f;
  p = p * r + 4.166621715e-2f;
  p = p * r + 1.666641384e-1f;
  p = p * r + 0.5f;
  p = p * r + 1.0f;
  p = p * r + 1.0f;
  // Clamped before it becomes an integer: the conversion of what does not fit is undefined. Two factors: 2^128 is not a float.
  const float in_range = n < -126.f ? -126.f : (n > 128.f ? 128.f : n);
  const std::int32_t power = static_cast<std::int32_t>(in_range == in_range ? in_range : 0.f);
  const std::int32_t half = power >> 1;
  const float result = p * __builtin_bit_cast(float, (half + 127) << 23) * __builtin_bit_cast(float, (power - half + 127) << 23);
  const float low = x < -87.3f ? 0.f : result;
  return x > 88.722839f ? __builtin_inff() : low;
}

/// Density and distribution of the standard normal; absolute error below 2e-7, relative below 1e-6 above -8. The upper tail over the
/// density is smooth in 1 / (1 + 0.3 |x|) (the idea of Abramowitz and Stegun 26.2.17): a polynomial of degree 8, fitted on |x| <= 9.
inline void normal(float x, float& density, float& distribution) {
  const float t = x < 0 ? -x : x;
  const float s = 1.f / (1.f + 0.3f * t);
  float m = 3.332253173e-02f;
  m = m * s - 1.439087689e-01f;
  m = m * s + 1.747989506e-01f;
  m = m * s - 1.257794071e-02f;
  m = m * s + 9.641987830e-02f;
  m = m * s + 1.153555289e-01f;
  m = m * s + 1.163039729e-01f;
  m = m * s + 1.203325242e-01f;
  m = m * s - 4.668094334e-05f;
  const float e = exponential(-0.5f * t * t);
  const float tail = t > 9.f ? 0.f : e * m;
  density = 0.398942280401432678f * e;
  distribution = x < 0 ? tail : 1.f - tail;
}

}  // namespace weft::cpu::WEFT_ISA

#pragma once
#include <bit>
#include <cstdint>
#include <string_view>

namespace weft {

/// The upper half of an IEEE float32. Storage only: arithmetic is done in float.
struct bfloat16 {
  std::uint16_t bits;

  bfloat16() = default;
  /// Rounds to nearest, ties to even; NaN stays NaN.
  explicit bfloat16(float value) {
    const auto u = std::bit_cast<std::uint32_t>(value);
    const bool is_nan = (u & 0x7fffffffu) > 0x7f800000u;
    bits = is_nan ? static_cast<std::uint16_t>((u >> 16) | 0x40u) : static_cast<std::uint16_t>((u + 0x7fffu + ((u >> 16) & 1u)) >> 16);
  }
  explicit operator float() const { return std::bit_cast<float>(static_cast<std::uint32_t>(bits) << 16); }
};

enum class DType : std::uint8_t { kFloat32, kBFloat16, kFloat64, kInt32, kInt64, kUInt8 };

/// Bytes of one element.
std::int64_t size_of(DType);
/// float32, bfloat16, float64, int32, int64, uint8.
std::string_view name(DType);
/// The type that gradients of parameters, master weights, moments, statistics and sums have beside values of this type:
/// float32 for float32 and bfloat16, float64 for float64.
DType sum_type(DType);
bool is_floating(DType);

template <class T>
struct DTypeOf;
template <>
struct DTypeOf<float> {
  static constexpr DType value = DType::kFloat32;
};
template <>
struct DTypeOf<bfloat16> {
  static constexpr DType value = DType::kBFloat16;
};
template <>
struct DTypeOf<double> {
  static constexpr DType value = DType::kFloat64;
};
template <>
struct DTypeOf<std::int32_t> {
  static constexpr DType value = DType::kInt32;
};
template <>
struct DTypeOf<std::int64_t> {
  static constexpr DType value = DType::kInt64;
};
template <>
struct DTypeOf<std::uint8_t> {
  static constexpr DType value = DType::kUInt8;
};
template <class T>
inline constexpr DType dtype_of = DTypeOf<T>::value;

/// float for float and bfloat16, double for double: what a kernel computes and sums in. Matches sum_type.
template <class T>
struct SumTypeOf {
  using type = T;
};
template <>
struct SumTypeOf<bfloat16> {
  using type = float;
};
template <class T>
using SumType = typename SumTypeOf<T>::type;

}  // namespace weft

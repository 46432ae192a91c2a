#pragma once
#include <cstdint>
#include <string_view>

#include <fmt/format.h>

#include "runtime/dtype.h"
#include "runtime/error.h"
#include "runtime/tensor.h"

namespace weft::kernels::reference {

/// What is stored, as the type that is computed in, and back: bfloat16 <-> float, the others as they are.
template <class T>
SumType<T> load(T value) {
  return static_cast<SumType<T>>(value);
}
template <class T>
T store(SumType<T> value) {
  return static_cast<T>(value);
}

/// First element of row r; rows may be strided.
template <class T>
T* row(const Tensor& matrix, std::int64_t r) {
  return matrix.as<T>() + r * matrix.stride(0);
}

/// Calls f(T{}) with the storage type T; the value itself means nothing.
template <class F>
void with_floating(DType dtype, F&& f) {
  switch (dtype) {
    case DType::kFloat32:
      return f(float{});
    case DType::kBFloat16:
      return f(bfloat16{});
    case DType::kFloat64:
      return f(double{});
    default:
      fail(fmt::format("expected a floating tensor, found {}", name(dtype)));
  }
}

/// Checks an index that was read from a tensor. Only the reference does.
inline std::int64_t checked_index(std::string_view what, std::int32_t index, std::int64_t bound) {
  if (index < 0 || index >= bound) fail(fmt::format("{} {} is outside [0, {})", what, index, bound));
  return index;
}

}  // namespace weft::kernels::reference

#include <algorithm>
#include <type_traits>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

/// bfloat16 is reached by way of float.
template <class From, class To>
To convert_element(From value) {
  if constexpr (std::is_same_v<From, To>) {
    return value;
  } else if constexpr (std::is_same_v<To, bfloat16>) {
    return bfloat16(static_cast<float>(value));
  } else if constexpr (std::is_same_v<From, bfloat16>) {
    return static_cast<To>(static_cast<float>(value));
  } else {
    return static_cast<To>(value);
  }
}

template <class From, class To>
void convert_rows(const Tensor& x, const Tensor& y) {
  if (x.elements() == 0) return;
  const std::int64_t columns = x.size(-1);
  for (std::int64_t r = 0; r < x.elements() / columns; ++r) {
    // The row number, split over the dims before the last.
    std::int64_t rest = r, from = 0, to = 0;
    for (int d = x.dims() - 2; d >= 0; --d) {
      from += rest % x.size(d) * x.stride(d);
      to += rest % x.size(d) * y.stride(d);
      rest /= x.size(d);
    }
    for (std::int64_t c = 0; c < columns; ++c) y.as<To>()[to + c] = convert_element<From, To>(x.as<From>()[from + c]);
  }
}

std::byte* row_bytes(const Tensor& matrix, std::int64_t r) {
  return matrix.data + r * matrix.stride(0) * size_of(matrix.dtype);
}

}  // namespace

void convert(Context&, const Convert& a) {
  with_floating(a.x.dtype, [&]<class From>(From) { with_floating(a.y.dtype, [&]<class To>(To) { convert_rows<From, To>(a.x, a.y); }); });
}

void fill_zero(Context&, const FillZero& a) {
  std::fill_n(a.y.data, a.y.bytes(), std::byte{0});
}

void exchange(Context&, const Exchange& a) {
  std::swap_ranges(a.a.data, a.a.data + a.a.bytes(), a.b.data);
}

void accumulate(Context&, const Accumulate& a) {
  const auto add = [&]<class Real>(Real) {
    for (std::int64_t i = 0; i < a.x.elements(); ++i) a.y.as<Real>()[i] += a.x.as<Real>()[i];
  };
  a.x.dtype == DType::kFloat64 ? add(double{}) : add(float{});
}

void copy_rows(Context&, const CopyRows& a) {
  const std::int64_t count = a.from.defined() ? a.from.size(0) : a.to.defined() ? a.to.size(0) : a.x.size(0);
  for (std::int64_t i = 0; i < count; ++i) {
    const std::int64_t from = a.from.defined() ? checked_index("copy_rows: from", a.from.as<std::int32_t>()[i], a.x.size(0)) : i;
    const std::int64_t to = a.to.defined() ? checked_index("copy_rows: to", a.to.as<std::int32_t>()[i], a.y.size(0)) : i;
    std::copy_n(row_bytes(a.x, from), a.x.size(1) * size_of(a.x.dtype), row_bytes(a.y, to));
  }
}

}  // namespace weft::kernels::reference

#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string>

#include "runtime/dtype.h"

namespace weft {

inline constexpr int kMaxDims = 4;

/// Up to four 64-bit sizes. Products are checked for overflow; a size is never negative.
class Shape {
 public:
  Shape() = default;
  Shape(std::initializer_list<std::int64_t> sizes);
  explicit Shape(std::span<const std::int64_t> sizes);

  int dims() const { return dims_; }
  /// Negative indices count from the back: size(-1) is the last dim.
  std::int64_t operator[](int dim) const { return sizes_[static_cast<std::size_t>(dim < 0 ? dim + dims_ : dim)]; }
  std::int64_t& operator[](int dim) { return sizes_[static_cast<std::size_t>(dim < 0 ? dim + dims_ : dim)]; }
  static constexpr std::int64_t kMostElements = std::int64_t{1} << 59;  // of 8 bytes: no product with a dtype's size wraps
  std::int64_t elements() const;                                        // 1 for no dims
  friend bool operator==(const Shape& a, const Shape& b);

 private:
  std::array<std::int64_t, kMaxDims> sizes_{};
  int dims_ = 0;
};

std::string to_string(const Shape&);  // (3, 16)

using Strides = std::array<std::int64_t, kMaxDims>;  // in elements

/// A view: copied by value, owns nothing. The last dim is contiguous. Empty (data == nullptr, no dims): absent, for example no bias.
struct Tensor {
  std::byte* data = nullptr;
  DType dtype = DType::kFloat32;
  Shape shape;
  Strides strides{};

  Tensor() = default;
  /// A contiguous view of `data`.
  Tensor(void* data, Shape shape, DType dtype);

  bool defined() const { return shape.dims() > 0; }
  int dims() const { return shape.dims(); }
  std::int64_t size(int dim) const { return shape[dim]; }
  std::int64_t stride(int dim) const { return strides[static_cast<std::size_t>(dim < 0 ? dim + dims() : dim)]; }
  std::int64_t elements() const { return shape.elements(); }
  std::int64_t bytes() const { return elements() * size_of(dtype); }
  bool contiguous() const;

  /// `count` indices of `dim` from `begin` on; checked. Slicing the last dim keeps it contiguous inside a row.
  Tensor slice(int dim, std::int64_t begin, std::int64_t count) const;
  /// Rows begin .. begin + count of the first dim.
  Tensor rows(std::int64_t begin, std::int64_t count) const { return slice(0, begin, count); }
  /// Another shape over the same elements. Splitting or joining the last dims works on strided rows, anything else needs a contiguous
  /// tensor.
  Tensor view(Shape) const;

  /// Pointer to the first element; fails when T is not the dtype.
  template <class T>
  T* as() const {
    require_dtype(dtype_of<T>);
    return reinterpret_cast<T*>(data);
  }
  /// All elements of a contiguous tensor.
  template <class T>
  std::span<T> span() const {
    require_contiguous();
    return {as<T>(), static_cast<std::size_t>(elements())};
  }

 private:
  void require_dtype(DType) const;
  void require_contiguous() const;
};

std::string describe(const Tensor&);  // float32 (3, 16)

}  // namespace weft

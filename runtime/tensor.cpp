#include "runtime/tensor.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

Strides contiguous_strides(const Shape& shape) {
  Strides strides{};
  std::int64_t stride = 1;
  for (int d = shape.dims() - 1; d >= 0; --d) {
    strides[static_cast<std::size_t>(d)] = stride;
    stride *= shape[d];
  }
  return strides;
}

}  // namespace

Shape::Shape(std::initializer_list<std::int64_t> sizes) : Shape(std::span(sizes.begin(), sizes.size())) {}

Shape::Shape(std::span<const std::int64_t> sizes) : dims_(static_cast<int>(sizes.size())) {
  if (sizes.size() > kMaxDims) fail(fmt::format("a shape has at most {} dims, not {}", kMaxDims, sizes.size()));
  for (std::size_t d = 0; d < sizes.size(); ++d) {
    if (sizes[d] < 0) fail(fmt::format("negative size {} in a shape", sizes[d]));
    sizes_[d] = sizes[d];
  }
  elements();
}

std::int64_t Shape::elements() const {
  std::int64_t product = 1;
  for (int d = 0; d < dims_; ++d) {
    const bool wraps = __builtin_mul_overflow(product, sizes_[static_cast<std::size_t>(d)], &product);
    if (wraps || product > kMostElements) fail("a shape has more elements than 64 bits can count bytes of");
  }
  return product;
}

bool operator==(const Shape& a, const Shape& b) {
  if (a.dims_ != b.dims_) return false;
  for (int d = 0; d < a.dims_; ++d) {
    if (a[d] != b[d]) return false;
  }
  return true;
}

std::string to_string(const Shape& shape) {
  std::string text = "(";
  for (int d = 0; d < shape.dims(); ++d) text += fmt::format("{}{}", d ? ", " : "", shape[d]);
  return text + ")";
}

Tensor::Tensor(void* pointer, Shape sizes, DType type)
    : data(static_cast<std::byte*>(pointer)), dtype(type), shape(sizes), strides(contiguous_strides(sizes)) {}

bool Tensor::contiguous() const {
  const Strides expected = contiguous_strides(shape);
  for (int d = 0; d < dims(); ++d) {
    if (size(d) > 1 && strides[static_cast<std::size_t>(d)] != expected[static_cast<std::size_t>(d)]) return elements() == 0;
  }
  return true;
}

Tensor Tensor::slice(int dim, std::int64_t begin, std::int64_t count) const {
  if (dim < 0) dim += dims();
  if (dim < 0 || dim >= dims() || begin < 0 || count < 0 || begin > size(dim) - count) {
    fail(fmt::format("slice {} + {} of dim {} is outside {}", begin, count, dim, to_string(shape)));
  }
  Tensor part = *this;
  part.shape[dim] = count;
  part.data = data + begin * stride(dim) * size_of(dtype);
  return part;
}

Tensor Tensor::view(Shape target) const {
  if (target.elements() != elements()) fail(fmt::format("view: {} has other elements than {}", to_string(target), to_string(shape)));
  Tensor result(data, target, dtype);
  if (contiguous()) return result;
  // Strided rows: the first dim stays, the contiguous inside of a row is cut anew.
  const bool inside_contiguous = Tensor(*this).rows(0, 1).contiguous();
  if (!inside_contiguous || target.dims() == 0 || target[0] != size(0)) {
    fail(fmt::format("view: {} of a strided {}", to_string(target), to_string(shape)));
  }
  result.strides[0] = stride(0);
  return result;
}

void Tensor::require_dtype(DType expected) const {
  if (dtype != expected) fail(fmt::format("expected {}, found {}", name(expected), describe(*this)));
}

void Tensor::require_contiguous() const {
  if (!contiguous()) fail(fmt::format("expected a contiguous tensor, found strided {}", describe(*this)));
}

std::string describe(const Tensor& tensor) {
  return fmt::format("{} {}", name(tensor.dtype), to_string(tensor.shape));
}

}  // namespace weft

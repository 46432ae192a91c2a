#include "runtime/kernels/check.h"

#include <algorithm>
#include <string>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft::kernels {
namespace {

std::string found(const Tensor& tensor) {
  return tensor.defined() ? describe(tensor) : std::string("absent");
}

}  // namespace

void require(std::string_view kernel, std::string_view argument, const Tensor& tensor, const Shape& shape, DType dtype) {
  if (tensor.defined() && tensor.shape == shape && tensor.dtype == dtype && (tensor.size(-1) < 2 || tensor.stride(-1) == 1)) return;
  fail(fmt::format("{}: {} is {}, expected {} {}", kernel, argument, found(tensor), name(dtype), to_string(shape)));
}

void require_contiguous(std::string_view kernel, std::string_view argument, const Tensor& tensor, const Shape& shape, DType dtype) {
  require(kernel, argument, tensor, shape, dtype);
  if (!tensor.contiguous()) fail(fmt::format("{}: {} is strided {}, expected contiguous", kernel, argument, found(tensor)));
}

void require_dims(std::string_view kernel, std::string_view argument, const Tensor& tensor, int dims, std::initializer_list<DType> dtypes) {
  if (tensor.dims() == dims && std::find(dtypes.begin(), dtypes.end(), tensor.dtype) != dtypes.end()) return;
  std::string expected;
  for (DType dtype : dtypes) expected += fmt::format("{}{}", expected.empty() ? "" : " or ", name(dtype));
  fail(fmt::format("{}: {} is {}, expected {} with {} dims", kernel, argument, found(tensor), expected, dims));
}

void require_dropout(std::string_view kernel, const RowDropout& dropout, std::int64_t rows) {
  require_that(dropout.site.p >= 0 && dropout.site.p < 1, kernel, "dropout is outside [0, 1)");
  if (!dropout.sample.defined()) return;
  require(kernel, "dropout.sample", dropout.sample, {rows}, DType::kInt32);
  require(kernel, "dropout.positions", dropout.positions, {rows}, DType::kInt32);
}

void require_that(bool holds, std::string_view kernel, std::string_view what) {
  if (!holds) fail(fmt::format("{}: {}", kernel, what));
}

}  // namespace weft::kernels

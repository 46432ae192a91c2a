#include "tests/support/test_context.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "runtime/error.h"
#include "runtime/random.h"

namespace weft::test {
namespace {

double element(const std::byte* data, DType dtype) {
  switch (dtype) {
    case DType::kFloat32: {
      float value;
      std::memcpy(&value, data, sizeof value);
      return value;
    }
    case DType::kFloat64: {
      double value;
      std::memcpy(&value, data, sizeof value);
      return value;
    }
    case DType::kBFloat16: {
      bfloat16 value;
      std::memcpy(&value, data, sizeof value);
      return static_cast<float>(value);
    }
    default:
      fail("expected a floating tensor");
  }
}

void set_element(std::byte* data, DType dtype, double value) {
  if (dtype == DType::kFloat64) {
    std::memcpy(data, &value, sizeof value);
  } else if (dtype == DType::kFloat32) {
    const float v = static_cast<float>(value);
    std::memcpy(data, &v, sizeof v);
  } else if (dtype == DType::kBFloat16) {
    const bfloat16 v(static_cast<float>(value));
    std::memcpy(data, &v, sizeof v);
  } else {
    fail("expected a floating tensor");
  }
}

}  // namespace

TestContext::TestContext(const KernelTable& kernels, std::int64_t arena_bytes)
    : device_(kernels),
      block_(device_.allocate(arena_bytes, MemoryKind::kDevice)),
      arena_(block_.data(), arena_bytes),
      context_{device_, device_.stream(StreamKind::kCompute), arena_, {}, true} {
  arena_.poison_released();
  context_.step_state = zeros({StepState::kFields}, DType::kFloat64);
  step_state(StepState::kStep) = 1;
  step_state(StepState::kLossScale) = 1;
  step_state(StepState::kClipScale) = 1;
  step_state(StepState::kFinite) = 1;
}

Tensor TestContext::allocate(Shape shape, DType dtype) {
  tensors_.push_back(device_.allocate(shape.elements() * size_of(dtype), MemoryKind::kDevice));
  return tensors_.back().tensor(shape, dtype);
}

Tensor TestContext::zeros(Shape shape, DType dtype) {
  Tensor tensor = allocate(shape, dtype);
  std::memset(tensor.data, 0, static_cast<std::size_t>(tensor.bytes()));
  return tensor;
}

Tensor TestContext::empty(Shape shape, DType dtype) {
  Tensor tensor = allocate(shape, dtype);
  std::memset(tensor.data, 0xff, static_cast<std::size_t>(tensor.bytes()));
  return tensor;
}

Tensor TestContext::normal(Shape shape, DType dtype, std::uint64_t seed, double deviation) {
  Tensor tensor = allocate(shape, dtype);
  const RandomKey key = random_key(seed, "test");
  for (std::int64_t i = 0; i < tensor.elements(); ++i) {
    set_element(tensor.data + i * size_of(dtype), dtype, deviation * random_normal(key, static_cast<std::uint64_t>(i)));
  }
  return tensor;
}

Tensor TestContext::ints(const std::vector<std::int32_t>& values) {
  Tensor tensor = allocate({static_cast<std::int64_t>(values.size())}, DType::kInt32);
  std::copy(values.begin(), values.end(), tensor.as<std::int32_t>());
  return tensor;
}

Tensor TestContext::floats(const std::vector<double>& values, DType dtype, Shape shape) {
  Tensor tensor = allocate(shape, dtype);
  if (tensor.elements() != static_cast<std::int64_t>(values.size())) fail("floats: wrong number of values");
  for (std::size_t i = 0; i < values.size(); ++i) {
    set_element(tensor.data + static_cast<std::int64_t>(i) * size_of(dtype), dtype, values[i]);
  }
  return tensor;
}

std::vector<double> to_doubles(const Tensor& tensor) {
  std::vector<double> values;
  values.reserve(static_cast<std::size_t>(tensor.elements()));
  const std::int64_t bytes = size_of(tensor.dtype);
  if (tensor.contiguous()) {
    for (std::int64_t i = 0; i < tensor.elements(); ++i) values.push_back(element(tensor.data + i * bytes, tensor.dtype));
    return values;
  }
  for (std::int64_t row = 0; row < tensor.size(0); ++row) {
    Tensor inside = tensor.rows(row, 1);
    for (std::int64_t i = 0; i < inside.elements(); ++i) values.push_back(element(inside.data + i * bytes, tensor.dtype));
  }
  return values;
}

double relative_error(const std::vector<double>& a, const std::vector<double>& b) {
  if (a.size() != b.size()) return std::numeric_limits<double>::infinity();
  double difference = 0, largest = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (std::isnan(a[i]) || std::isnan(b[i])) return std::numeric_limits<double>::quiet_NaN();
    if (a[i] == b[i]) continue;  // also equal infinities
    difference = std::max(difference, std::abs(a[i] - b[i]));
  }
  for (double value : b) {
    if (std::isfinite(value)) largest = std::max(largest, std::abs(value));  // an infinite log-sum-exp must not hide the others
  }
  return difference == 0 ? 0 : difference / largest;
}

double relative_error(const Tensor& a, const Tensor& b) {
  return relative_error(to_doubles(a), to_doubles(b));
}

}  // namespace weft::test

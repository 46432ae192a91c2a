#include "runtime/dtype.h"

#include <array>
#include <cstddef>

namespace weft {
namespace {

struct Element {
  std::string_view name;
  std::int64_t bytes;
};
/// In the order of DType.
constexpr std::array<Element, 6> kElements{{{"float32", 4}, {"bfloat16", 2}, {"float64", 8}, {"int32", 4}, {"int64", 8}, {"uint8", 1}}};

}  // namespace

std::int64_t size_of(DType dtype) {
  return kElements.at(static_cast<std::size_t>(dtype)).bytes;
}

std::string_view name(DType dtype) {
  return kElements.at(static_cast<std::size_t>(dtype)).name;
}

DType sum_type(DType dtype) {
  return dtype == DType::kFloat64 ? DType::kFloat64 : DType::kFloat32;
}

bool is_floating(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16 || dtype == DType::kFloat64;
}

}  // namespace weft

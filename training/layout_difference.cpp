#include "training/layout_difference.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "runtime/error.h"
#include "state/boxes.h"

namespace weft {
namespace {

double norm(std::span<const float> numbers) {
  double sum = 0;
  for (const float number : numbers) sum += static_cast<double>(number) * number;
  return std::sqrt(sum);
}

/// The piece of a rank out of the whole tensor.
std::vector<float> piece(const HeldTensor& whole, const Box& box) {
  std::vector<float> numbers(static_cast<std::size_t>(elements(box)));
  copy_overlap({.from = whole.box,
                .first = 0,
                .run = std::as_bytes(std::span(whole.numbers)),
                .to = box,
                .out = std::as_writable_bytes(std::span(numbers)),
                .element_bytes = sizeof(float)});
  return numbers;
}

double relative(double found, double expected) {
  const double error = std::abs(found - expected) / std::abs(expected);
  return std::isnan(error) ? std::numeric_limits<double>::infinity() : error;
}

}  // namespace

LayoutTolerance layout_tolerance(DType dtype) {
  if (dtype == DType::kBFloat16) return {.loss = 3e-3, .gradient = 5e-2};
  return {};
}

bool LayoutDifference::within(const LayoutTolerance& limit) const {
  return loss <= limit.loss && grad_norm <= limit.gradient && gradient <= limit.gradient;
}

LayoutDifference difference(std::span<const LayoutRun> ranks, const LayoutRun& whole) {
  LayoutDifference result;
  double largest = 0;
  for (const HeldTensor& tensor : whole.gradients) largest = std::max(largest, norm(tensor.numbers));
  for (const LayoutRun& rank : ranks) {
    result.loss = std::max(result.loss, relative(rank.steps.at(0).loss, whole.steps.at(0).loss));
    result.grad_norm = std::max(result.grad_norm, relative(rank.steps.at(0).grad_norm, whole.steps.at(0).grad_norm));
    for (const HeldTensor& held : rank.gradients) {
      const auto same_name = [&](const HeldTensor& other) { return other.name == held.name; };
      const auto expected = std::find_if(whole.gradients.begin(), whole.gradients.end(), same_name);
      if (expected == whole.gradients.end()) fail(fmt::format("{}: one rank has no such tensor", held.name));
      std::vector<float> error = piece(*expected, held.box);
      for (std::size_t i = 0; i < error.size(); ++i) error[i] -= held.numbers[i];
      const double found = norm(error) / std::max(norm(expected->numbers), 1e-3 * largest);
      if (found <= result.gradient && !result.tensor.empty()) continue;
      result.tensor = held.name;
      result.gradient = std::isnan(found) ? std::numeric_limits<double>::infinity() : found;
    }
  }
  return result;
}

}  // namespace weft

#include "tests/layers/bound_parameters.h"

#include <algorithm>
#include <cmath>
#include <ostream>
#include <utility>

#include "runtime/cpu_features.h"
#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft::test {
namespace {

Tensor part_of(const Tensor& storage, const Part& part) {
  return storage.rows(part.row, part.box.size[0]);
}

}  // namespace

std::vector<double> elements_in(const std::vector<double>& whole, const Part& part) {
  const bool matrix = part.shape.dims() > 1;
  const std::int64_t columns = matrix ? part.shape[1] : 1, first = matrix ? part.box.begin[1] : 0, count = matrix ? part.box.size[1] : 1;
  std::vector<double> elements;
  for (std::int64_t r = 0; r < part.box.size[0]; ++r) {
    const auto begin = whole.begin() + (part.box.begin[0] + r) * columns + first;
    elements.insert(elements.end(), begin, begin + count);
  }
  return elements;
}

BoundParameters::BoundParameters(TestContext& ctx, ParameterSet& set, DType dtype)
    : ctx_(ctx), set_(set), values_(ctx.empty({set.total_elements()}, dtype)), gradients_(ctx.zeros({set.elements()}, sum_type(dtype))) {
  set.bind_values(values_);
  set.bind_gradients([&](FlatRange range) { return gradients_.rows(range.begin, range.end - range.begin); });
  std::uint64_t seed = 1000;
  for (Parameter& parameter : set.parameters()) {
    const Tensor initial = ctx.zeros(parameter.shape, sum_type(dtype));
    draw_initial_values(parameter, set.seed(), initial);
    std::vector<double> numbers = to_doubles(initial);
    for (const Part& part : parameter.parts) {
      if (part.shape.dims() > 1 || !parameter.saved) continue;
      const std::vector<double> noise = elements_in(to_doubles(ctx.normal(part.shape, DType::kFloat64, seed++, 0.2)), part);
      for (std::size_t i = 0; i < noise.size(); ++i) numbers[static_cast<std::size_t>(part.row) + i] += noise[i];
    }
    kernels::convert(ctx, {.x = ctx.floats(numbers, DType::kFloat64, parameter.shape), .y = parameter.value});
  }
}

void BoundParameters::load(const GoldenFile& file, const std::string& prefix, Rounding rounding) {
  for (Parameter& parameter : set_.parameters()) {
    if (!parameter.saved) continue;
    for (const Part& part : parameter.parts) {
      if (!part.name.starts_with(prefix)) fail(part.name + " does not begin with " + prefix);
      const Tensor golden = file.tensor(ctx_, part.name.substr(prefix.size()), DType::kFloat64, rounding);
      kernels::convert(ctx_, {.x = golden, .y = part_of(parameter.value, part)});
    }
  }
}

void BoundParameters::zero_gradients() {
  kernels::fill_zero(ctx_, {.y = gradients_});
}

std::vector<double> BoundParameters::elements(const std::string& name, bool gradient) const {
  for (const Parameter& parameter : set_.parameters()) {
    for (const Part& part : parameter.parts) {
      if (part.name == name) return to_doubles(part_of(gradient ? parameter.grad : parameter.value, part));
    }
  }
  fail("no part " + name);
}

std::vector<Differentiated> BoundParameters::differentiated() const {
  std::vector<Differentiated> tensors;
  for (const Parameter& parameter : set_.parameters()) {
    if (!parameter.trained) continue;
    for (const Part& part : parameter.parts) {
      tensors.push_back({part.name, part_of(parameter.value, part), part_of(parameter.grad, part)});
    }
  }
  return tensors;
}

std::vector<std::string> BoundParameters::trained_parts() const {
  std::vector<std::string> names;
  for (const Parameter& parameter : set_.parameters()) {
    for (const Part& part : parameter.parts) {
      if (parameter.trained) names.push_back(part.name);
    }
  }
  return names;
}

BoundParameters::Worst BoundParameters::worst_gradient(const BoundParameters& whole) const {
  Worst worst;
  const auto largest_of = [](const std::vector<double>& numbers) {
    double largest = 0;
    for (const double number : numbers) largest = std::max(largest, std::abs(number));
    return largest;
  };
  const double least = 1e-2 * largest_of(to_doubles(whole.gradients_));
  for (const Parameter& parameter : set_.parameters()) {
    for (const Part& part : parameter.parts) {
      if (!parameter.trained) continue;
      const std::vector<double> all = whole.gradient(part.name), mine = gradient(part.name), expected = elements_in(all, part);
      const double largest = std::max(least, largest_of(all));
      for (std::size_t i = 0; i < mine.size(); ++i) {
        const double error = std::abs(mine[i] - expected.at(i)) / largest;
        if (!(error <= worst.error)) worst = {error, part.name};
      }
    }
  }
  return worst;
}

std::vector<Precision> all_precisions() {
  const KernelTable* reference = &reference_kernels();
  std::vector<Precision> precisions = {{"reference_double", reference, DType::kFloat64, 1e-10},
                                       {"reference_float", reference, DType::kFloat32, 1e-5},
                                       {"reference_bfloat16", reference, DType::kBFloat16, 2e-2}};
  for (const auto& [name, set] : {std::pair{"avx2", InstructionSet::kAvx2}, std::pair{"avx512", InstructionSet::kAvx512}}) {
    if (instruction_set() < set) continue;
    precisions.push_back({std::string(name) + "_float", &cpu_kernels(set), DType::kFloat32, 1e-5});
    precisions.push_back({std::string(name) + "_bfloat16", &cpu_kernels(set), DType::kBFloat16, 2e-2});
  }
  return precisions;
}

void PrintTo(const Precision& precision, std::ostream* out) {
  *out << precision.name;
}

}  // namespace weft::test

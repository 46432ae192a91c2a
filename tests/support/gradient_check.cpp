#include "tests/support/gradient_check.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/random.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

struct Compared {
  std::size_t element;
  double backward, numerical;
};

double numerical_derivative(double& x, const std::function<double()>& loss, double relative_step) {
  const double at = x, h = relative_step * std::max(1.0, std::abs(at));
  const auto f = [&](double steps) {
    x = at + steps * h;
    return loss();
  };
  const double inner = f(1) - f(-1), outer = f(2) - f(-2);
  x = at;
  return (8 * inner - outer) / (12 * h);
}

std::vector<std::size_t> chosen_elements(std::size_t elements, const GradientCheckOptions& options, std::uint64_t tensor) {
  const auto samples = static_cast<std::size_t>(options.samples);
  std::vector<std::size_t> chosen(samples == 0 ? elements : std::min(samples, elements));
  std::iota(chosen.begin(), chosen.end(), std::size_t{0});
  if (chosen.size() == elements) return chosen;
  const RandomKey key = random_key(options.seed + tensor, "gradient_check");
  for (std::size_t i = 0; i < chosen.size(); ++i) chosen[i] = static_cast<std::size_t>(random_below(key, i, elements));
  return chosen;
}

double largest(const std::vector<Compared>& elements) {
  double most = 0;
  for (const Compared& e : elements) most = std::max({most, std::abs(e.backward), std::abs(e.numerical)});
  return most;
}

}  // namespace

GradientError check_gradients(const std::vector<Differentiated>& tensors, const std::function<double()>& loss,
                              const GradientCheckOptions& options) {
  std::vector<std::vector<double>> backward;
  for (const Differentiated& t : tensors) {
    if (t.value.shape != t.gradient.shape) fail(fmt::format("{}: {} with gradient {}", t.name, describe(t.value), describe(t.gradient)));
    const auto gradient = t.gradient.span<double>();
    backward.emplace_back(gradient.begin(), gradient.end());
  }
  std::vector<std::vector<Compared>> compared(tensors.size());
  double largest_of_all = 0;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const auto values = tensors[t].value.span<double>();
    for (std::size_t i : chosen_elements(values.size(), options, t)) {
      compared[t].push_back({i, backward[t][i], numerical_derivative(values[i], loss, options.step)});
    }
    largest_of_all = std::max(largest_of_all, largest(compared[t]));
  }
  GradientError error;
  for (std::size_t t = 0; t < tensors.size(); ++t) {
    const double unit = std::max(largest(compared[t]), 1e-3 * largest_of_all);
    for (const Compared& e : compared[t]) {
      const double difference = std::abs(e.backward - e.numerical);
      const double relative = std::isnan(difference) ? std::numeric_limits<double>::infinity() : difference == 0 ? 0 : difference / unit;
      if (relative <= error.worst && !error.where.empty()) continue;
      error = {relative, fmt::format("{}[{}]: backward {}, numerical {}", tensors[t].name, e.element, e.backward, e.numerical)};
    }
  }
  return error;
}

double dot(const Tensor& y, const Tensor& dy) {
  const auto a = to_doubles(y), b = to_doubles(dy);
  if (a.size() != b.size()) fail(fmt::format("dot of {} and {}", describe(y), describe(dy)));
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

}  // namespace weft::test

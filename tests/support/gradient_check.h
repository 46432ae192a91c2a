#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "runtime/tensor.h"

namespace weft::test {

/// A tensor that a loss depends on, and what a backward pass says its gradient is. Both float64, contiguous, of one shape.
struct Differentiated {
  std::string name;
  Tensor value;
  Tensor gradient;
};

struct GradientError {
  double worst = 0;   // |backward - numerical|, over the largest gradient of the tensor
  std::string where;  // weight[13]: backward 0.25, numerical 0.26
};

struct GradientCheckOptions {
  double step = 1e-3;        // times max(1, |x|)
  std::int64_t samples = 0;  // elements of each tensor, drawn with `seed`; 0: every element
  std::uint64_t seed = 1;
};

/// Compares with 4-point central differences, f'(x) = (8 (f(x+h) - f(x-h)) - (f(x+2h) - f(x-2h))) / 12h: an error of h^4, about 1e-12 here
/// against 1e-8 of what a forgotten epsilon costs. `loss` computes f from the values as they are; they are back as they were afterwards.
/// The gradients are read before the first call. A gradient that is zero but for rounding (k_proj.bias) is judged by 1e-3 of the largest of
/// all tensors. No value may lie within 2 h of a kink (relu at 0). NaN anywhere gives an infinite error.
GradientError check_gradients(const std::vector<Differentiated>&, const std::function<double()>& loss, const GradientCheckOptions& = {});

/// sum(y dy): the loss whose gradient to y is dy. Any floating dtype.
double dot(const Tensor& y, const Tensor& dy);

}  // namespace weft::test

#pragma once
#include <cmath>
#include <numbers>

#include "runtime/kernels/activation.h"

namespace weft::kernels::reference {

template <class S>
S activate(Activation activation, S x) {
  switch (activation) {
    case Activation::kNone:
      return x;
    case Activation::kRelu:
      return x > 0 ? x : S(0);
    case Activation::kGelu:
      return x * S(0.5) * std::erfc(-x / std::numbers::sqrt2_v<S>);  // erfc: 1 + erf cancels for x far below 0
    case Activation::kGeluTanh: {
      const S inner = S(std::sqrt(2 / std::numbers::pi)) * (x + S(0.044715) * x * x * x);
      return S(0.5) * x * (1 + std::tanh(inner));
    }
  }
  return x;
}

/// The derivative of `activate` at x.
template <class S>
S activate_derivative(Activation activation, S x) {
  switch (activation) {
    case Activation::kNone:
      return 1;
    case Activation::kRelu:
      return x > 0 ? S(1) : S(0);
    case Activation::kGelu: {
      const S cumulative = S(0.5) * std::erfc(-x / std::numbers::sqrt2_v<S>);
      const S density = std::exp(S(-0.5) * x * x) * S(1 / std::sqrt(2 * std::numbers::pi));
      return cumulative + x * density;
    }
    case Activation::kGeluTanh: {
      const S factor = S(std::sqrt(2 / std::numbers::pi)), cubic = S(0.044715);
      const S t = std::tanh(factor * (x + cubic * x * x * x));
      return S(0.5) * (1 + t) + S(0.5) * x * (1 - t * t) * factor * (1 + 3 * cubic * x * x);
    }
  }
  return 1;
}

}  // namespace weft::kernels::reference

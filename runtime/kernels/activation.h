#pragma once
#include <cstdint>

#include "runtime/context.h"
#include "runtime/tensor.h"

namespace weft {

/// gelu: x Phi(x), exact (erf). gelu_tanh: 0.5 x (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3))). arXiv 1606.08415.
enum class Activation : std::uint8_t { kNone, kRelu, kGelu, kGeluTanh };

}  // namespace weft

namespace weft::kernels {

/// dx = dy activation'(x). The derivative of relu at 0 is 0; relu needs only the sign of x, so its output, dropped out or not, serves as x.
struct ActivationBackward {
  Tensor dy;  // (T, F)
  Tensor x;   // (T, F), before the activation
  Activation activation = Activation::kNone;
  Tensor dx;  // (T, F), overwritten; may be dy
};
void activation_backward(Context&, const ActivationBackward&);

}  // namespace weft::kernels

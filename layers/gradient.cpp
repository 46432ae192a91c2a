#include "layers/gradient.h"

#include <utility>

#include "runtime/kernels/matmul.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {

Tensor gradient_to_add(Context& ctx, Parameter& parameter) {
  if (!std::exchange(parameter.grad_begun, true)) kernels::fill_zero(ctx, {.y = parameter.grad});
  return parameter.grad;
}

void add_weight_gradient(Context& ctx, Tensor a, Tensor b, Parameter& parameter) {
  if (!parameter.grad.defined()) return;
  const bool adds = std::exchange(parameter.grad_begun, true);
  kernels::matmul(ctx, {.a = a, .b = b, .transpose_a = true, .accumulate = adds, .y = parameter.grad});
}

}  // namespace weft

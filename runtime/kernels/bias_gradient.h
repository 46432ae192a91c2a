#pragma once
#include "runtime/context.h"
#include "runtime/tensor.h"

namespace weft::kernels {

/// dbias += sum over rows of dy, in the order of the rows: blocks cut by the size of the data, never by threads.
struct BiasGradient {
  Tensor dy;         // (T, N), rows may be strided
  Tensor dbias;      // (N), sum type; accumulates
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void bias_gradient(Context&, BiasGradient);

}  // namespace weft::kernels

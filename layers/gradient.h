#pragma once
#include "layers/parameter.h"
#include "runtime/context.h"

namespace weft {

/// A parameter's gradient, for a kernel that adds to it: zeroed first when it holds nothing of this update. Absent when it is not trained.
Tensor gradient_to_add(Context&, Parameter&);

/// grad += a^T b, or grad = a^T b when it holds nothing of this update: what is large is neither zeroed nor read for nothing. Does nothing
/// when the parameter is not trained. a (T, out), b (T, in).
void add_weight_gradient(Context&, Tensor a, Tensor b, Parameter&);

}  // namespace weft

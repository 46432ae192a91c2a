#include "layers/tensor_parallel.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

void TensorParallel::leave(Context& ctx, Tensor y) const {
  if (size() > 1) tp_->all_reduce(ctx.stream, y);
}

void TensorParallel::enter_backward(Context& ctx, Tensor dx) const {
  if (size() > 1) tp_->all_reduce(ctx.stream, dx);
}

void require_alone(const TensorParallel& tensor_parallel) {
  if (tensor_parallel.size() > 1) fail_input(fmt::format("parallel.tensor: {} is not supported yet, expected 1", tensor_parallel.size()));
}

}  // namespace weft

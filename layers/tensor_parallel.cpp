#include "layers/tensor_parallel.h"

namespace weft {

void TensorParallel::leave(Context& ctx, Tensor y) const {
  if (size() > 1) tp_->all_reduce(ctx.stream, y);
}

void TensorParallel::enter_backward(Context& ctx, Tensor dx) const {
  if (size() > 1) tp_->all_reduce(ctx.stream, dx);
}

}  // namespace weft

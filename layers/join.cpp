#include "layers/join.h"

#include "runtime/kernels/dropout.h"

namespace weft {

void Join::forward(Context& ctx, Tensor x, Tensor residual, const Rows& rows, Tensor y, Saved& saved) const {
  const RowDropout dropout{.site = dropout_, .sample = rows.sample, .positions = rows.positions};
  if (norm_) return norm_->forward(ctx, {.x = x, .residual = residual, .dropout = dropout, .z = x}, y, saved);
  saved = {.dropout = dropout};
  kernels::dropout(ctx, {.x = x, .residual = residual, .dropout = dropout, .y = y});
}

Join::Result Join::backward(Context& ctx, const Saved& saved, const Gradients& gradients) const {
  const bool dropping = drops(ctx, saved.dropout);
  Tensor dz = gradients.dz;
  if (norm_) {
    norm_->backward(ctx, saved, {.dy = gradients.dy, .dz_add = gradients.dz_add, .dz = dz, .dx = dropping ? gradients.dx : Tensor{}});
  } else {
    dz = gradients.dy;
    if (dropping) kernels::dropout(ctx, {.x = dz, .dropout = saved.dropout, .y = gradients.dx});
  }
  return {.dresidual = dz, .dx = dropping ? gradients.dx : dz};
}

}  // namespace weft

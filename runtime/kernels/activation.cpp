#include "runtime/kernels/activation.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/table.h"

namespace weft::kernels {

void activation_backward(Context& ctx, const ActivationBackward& a) {
  require_dims("activation_backward", "dy", a.dy, 2, kFloating);
  require_contiguous("activation_backward", "dy", a.dy, a.dy.shape, a.dy.dtype);
  require_contiguous("activation_backward", "x", a.x, a.dy.shape, a.dy.dtype);
  require_contiguous("activation_backward", "dx", a.dx, a.dy.shape, a.dy.dtype);
  ctx.device.kernels().activation_backward(ctx, a);
}

}  // namespace weft::kernels

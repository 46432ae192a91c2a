#include "runtime/kernels/activation.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {

void activation_backward(Context& ctx, const ActivationBackward& a) {
  require_dims("activation_backward", "dy", a.dy, 2, kFloating);
  require_contiguous("activation_backward", "dy", a.dy, a.dy.shape, a.dy.dtype);
  require_contiguous("activation_backward", "x", a.x, a.dy.shape, a.dy.dtype);
  require_contiguous("activation_backward", "dx", a.dx, a.dy.shape, a.dy.dtype);
  launch(ctx, &KernelTable::activation_backward, a);
}

}  // namespace weft::kernels

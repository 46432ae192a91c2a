#include "runtime/kernels/bias_gradient.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {

void bias_gradient(Context& ctx, BiasGradient a) {
  require_dims("bias_gradient", "dy", a.dy, 2, kFloating);
  require("bias_gradient", "dy", a.dy, a.dy.shape, a.dy.dtype);
  require("bias_gradient", "dbias", a.dbias, {a.dy.size(1)}, sum_type(a.dy.dtype));
  launch_with_workspace(ctx, &KernelTable::bias_gradient, "bias_gradient workspace", a);
}

}  // namespace weft::kernels

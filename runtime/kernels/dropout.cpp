#include "runtime/kernels/dropout.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {

void dropout(Context& ctx, const DropoutApply& a) {
  require_dims("dropout", "x", a.x, 2, kFloating);
  require_contiguous("dropout", "x", a.x, a.x.shape, a.x.dtype);
  if (a.residual.defined()) require_contiguous("dropout", "residual", a.residual, a.x.shape, a.x.dtype);
  require_contiguous("dropout", "y", a.y, a.x.shape, a.x.dtype);
  require_dropout("dropout", a.dropout, a.x.size(0));
  launch(ctx, &KernelTable::dropout, a);
}

}  // namespace weft::kernels

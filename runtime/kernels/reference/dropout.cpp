#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {

void dropout(Context& ctx, const DropoutApply& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.x.dtype, [&]<class T>(T) {
    for (std::int64_t r = 0; r < a.x.size(0); ++r) {
      const T *x = row<T>(a.x, r), *residual = a.residual.defined() ? row<T>(a.residual, r) : nullptr;
      T* y = row<T>(a.y, r);
      for (std::int64_t c = 0; c < a.x.size(1); ++c) {
        const SumType<T> kept = load(x[c]) * SumType<T>(mask.factor(r, c));
        y[c] = store<T>(residual ? load(residual[c]) + kept : kept);
      }
    }
  });
}

}  // namespace weft::kernels::reference

#include <cmath>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

template <class S>
S sigmoid(S x) {
  return 1 / (1 + std::exp(-x));
}

}  // namespace

void swiglu_forward(Context& ctx, const SwigluForward& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.h.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const std::int64_t columns = a.h.size(1);
    for (std::int64_t r = 0; r < a.h.size(0); ++r) {
      const T *gate = row<T>(a.gate_up, r), *up = gate + columns;
      for (std::int64_t c = 0; c < columns; ++c) {
        const S x = load(gate[c]);
        row<T>(a.h, r)[c] = store<T>(x * sigmoid(x) * load(up[c]) * S(mask.factor(r, c)));
      }
    }
  });
}

void swiglu_backward(Context& ctx, const SwigluBackward& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.dh.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const std::int64_t columns = a.dh.size(1);
    for (std::int64_t r = 0; r < a.dh.size(0); ++r) {
      const T *gate = row<T>(a.gate_up, r), *up = gate + columns;
      T *dgate = row<T>(a.dgate_up, r), *dup = dgate + columns;
      for (std::int64_t c = 0; c < columns; ++c) {
        const S g = load(row<T>(a.dh, r)[c]) * S(mask.factor(r, c)), x = load(gate[c]), s = sigmoid(x), u = load(up[c]);
        dgate[c] = store<T>(g * u * s * (1 + x * (1 - s)));
        dup[c] = store<T>(g * x * s);
      }
    }
  });
}

}  // namespace weft::kernels::reference

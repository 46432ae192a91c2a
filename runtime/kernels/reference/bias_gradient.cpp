#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {

void bias_gradient(Context&, const BiasGradient& a) {
  with_floating(a.dy.dtype, [&]<class T>(T) {
    auto* dbias = a.dbias.as<SumType<T>>();
    for (std::int64_t r = 0; r < a.dy.size(0); ++r) {
      const T* dy = row<T>(a.dy, r);
      for (std::int64_t c = 0; c < a.dy.size(1); ++c) dbias[c] += load(dy[c]);
    }
  });
}

}  // namespace weft::kernels::reference

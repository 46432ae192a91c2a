#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/activation_function.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {

void activation_backward(Context&, const ActivationBackward& a) {
  with_floating(a.dy.dtype, [&]<class T>(T) {
    const auto dy = a.dy.span<T>(), x = a.x.span<T>(), dx = a.dx.span<T>();
    for (std::size_t i = 0; i < dx.size(); ++i) dx[i] = store<T>(load(dy[i]) * activate_derivative(a.activation, load(x[i])));
  });
}

}  // namespace weft::kernels::reference

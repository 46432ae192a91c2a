#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void activation_backward(Context& ctx, const kernels::ActivationBackward& a) {
  if (!is_fast(a.x.dtype) || a.activation == Activation::kNone) return reference_kernels().activation_backward.run(ctx, a);
  isa.activate({.curve = curve_of(a.activation), .dy = matrix_of(a.dy), .x = matrix_of(a.x), .y = matrix_of(a.dx)});
}

}  // namespace

template <const Isa& isa>
void install_activation(KernelTable& table) {
  table.activation_backward = {activation_backward<isa>};
}

template void install_activation<avx2::isa>(KernelTable&);
template void install_activation<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

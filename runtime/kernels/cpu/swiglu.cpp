#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void swiglu_forward(Context& ctx, const kernels::SwigluForward& a) {
  if (!is_fast(a.h.dtype)) return reference_kernels().swiglu_forward.run(ctx, a);
  isa.swiglu_forward({.gate_up = matrix_of(a.gate_up), .dropout = dropout_of(ctx, a.dropout), .h = matrix_of(a.h)});
}

template <const Isa& isa>
void swiglu_backward(Context& ctx, const kernels::SwigluBackward& a) {
  if (!is_fast(a.dh.dtype)) return reference_kernels().swiglu_backward.run(ctx, a);
  isa.swiglu_backward(
      {.dh = matrix_of(a.dh), .gate_up = matrix_of(a.gate_up), .dropout = dropout_of(ctx, a.dropout), .dgate_up = matrix_of(a.dgate_up)});
}

}  // namespace

template <const Isa& isa>
void install_swiglu(KernelTable& table) {
  table.swiglu_forward = {swiglu_forward<isa>};
  table.swiglu_backward = {swiglu_backward<isa>};
}

template void install_swiglu<avx2::isa>(KernelTable&);
template void install_swiglu<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

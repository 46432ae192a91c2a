#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void dropout(Context& ctx, const kernels::DropoutApply& a) {
  if (!is_fast(a.x.dtype)) return reference_kernels().dropout.run(ctx, a);
  if (!drops(ctx, a.dropout) && !a.residual.defined() && a.x.data == a.y.data) return;
  isa.dropout({.x = matrix_of(a.x), .residual = matrix_of(a.residual), .dropout = dropout_of(ctx, a.dropout), .y = matrix_of(a.y)});
}

}  // namespace

template <const Isa& isa>
void install_dropout(KernelTable& table) {
  table.dropout = {dropout<isa>};
}

template void install_dropout<avx2::isa>(KernelTable&);
template void install_dropout<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

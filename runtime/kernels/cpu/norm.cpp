#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void norm_forward(Context& ctx, const kernels::NormForward& a) {
  if (!is_fast(a.x.dtype)) return reference_kernels().norm_forward.run(ctx, a);
  isa.norm_forward({.x = matrix_of(a.x),
                    .residual = matrix_of(a.residual),
                    .weight = a.weight.data,
                    .bias = a.bias.data,
                    .eps = static_cast<float>(a.eps),
                    .dropout = dropout_of(ctx, a.dropout),
                    .z = matrix_of(a.z),
                    .y = matrix_of(a.y),
                    .mean = pointer<float>(a.mean),
                    .rstd = a.rstd.as<float>()});
}

template <const Isa& isa>
void norm_backward(Context& ctx, const kernels::NormBackward& a) {
  if (!is_fast(a.z.dtype)) return reference_kernels().norm_backward.run(ctx, a);
  isa.norm_backward({.dy = matrix_of(a.dy),
                     .z = matrix_of(a.z),
                     .weight = a.weight.data,
                     .mean = pointer<float>(a.mean),
                     .rstd = a.rstd.as<float>(),
                     .dz_add = matrix_of(a.dz_add),
                     .dropout = dropout_of(ctx, a.dropout),
                     .dz = matrix_of(a.dz),
                     .dx = matrix_of(a.dx),
                     .dweight = a.dweight.as<float>(),
                     .dbias = pointer<float>(a.dbias),
                     .partials = reinterpret_cast<float*>(a.workspace.data)});
}

template <const Isa& isa>
std::int64_t norm_backward_workspace(const kernels::NormBackward& a) {
  if (!is_fast(a.z.dtype)) return reference_kernels().norm_backward.workspace_bytes(a);
  return isa.norm_backward_partials(a.z.size(0), a.z.size(1)) * size_of(DType::kFloat32);
}

}  // namespace

template <const Isa& isa>
void install_norm(KernelTable& table) {
  table.norm_forward = {norm_forward<isa>};
  table.norm_backward = {norm_backward<isa>, norm_backward_workspace<isa>};
}

template void install_norm<avx2::isa>(KernelTable&);
template void install_norm<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

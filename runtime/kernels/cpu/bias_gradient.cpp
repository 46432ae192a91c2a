#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void bias_gradient(Context& ctx, const kernels::BiasGradient& a) {
  if (!is_fast(a.dy.dtype)) return reference_kernels().bias_gradient.run(ctx, a);
  isa.bias_gradient({.dy = matrix_of(a.dy), .dbias = a.dbias.as<float>(), .partials = reinterpret_cast<float*>(a.workspace.data)});
}

template <const Isa& isa>
std::int64_t bias_gradient_workspace(const kernels::BiasGradient& a) {
  if (!is_fast(a.dy.dtype)) return reference_kernels().bias_gradient.workspace_bytes(a);
  return isa.bias_gradient_partials(a.dy.size(0), a.dy.size(1)) * size_of(DType::kFloat32);
}

}  // namespace

template <const Isa& isa>
void install_bias_gradient(KernelTable& table) {
  table.bias_gradient = {bias_gradient<isa>, bias_gradient_workspace<isa>};
}

template void install_bias_gradient<avx2::isa>(KernelTable&);
template void install_bias_gradient<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

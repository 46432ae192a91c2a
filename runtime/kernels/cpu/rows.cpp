#include "runtime/kernels/cpu/install.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void layer_norm_forward(Context& ctx, const kernels::LayerNormForward& a) {
  if (!is_fast(a.x.dtype)) return reference_kernels().layer_norm_forward.run(ctx, a);
  isa.norm_forward({.storage = storage_of(a.x),
                    .rows = a.x.size(0),
                    .columns = a.x.size(1),
                    .x = a.x.data,
                    .residual = a.residual.data,
                    .weight = a.weight.data,
                    .bias = a.bias.data,
                    .eps = static_cast<float>(a.eps),
                    .dropout = dropout_of(ctx, a.dropout),
                    .z = a.z.data,
                    .y = a.y.data,
                    .mean = a.mean.as<float>(),
                    .rstd = a.rstd.as<float>()});
}

template <const Isa& isa>
void layer_norm_backward(Context& ctx, const kernels::LayerNormBackward& a) {
  if (!is_fast(a.z.dtype)) return reference_kernels().layer_norm_backward.run(ctx, a);
  isa.norm_backward({.storage = storage_of(a.z),
                     .rows = a.z.size(0),
                     .columns = a.z.size(1),
                     .dy = a.dy.data,
                     .z = a.z.data,
                     .weight = a.weight.data,
                     .mean = a.mean.as<float>(),
                     .rstd = a.rstd.as<float>(),
                     .add = a.dz_add.data,
                     .dropout = dropout_of(ctx, a.dropout),
                     .dz = a.dz.data,
                     .dx = a.dx.data,
                     .dweight = a.dweight.as<float>(),
                     .dbias = a.dbias.as<float>(),
                     .partials = reinterpret_cast<float*>(a.workspace.data)});
}

template <const Isa& isa>
std::int64_t layer_norm_backward_workspace(const kernels::LayerNormBackward& a) {
  if (!is_fast(a.z.dtype)) return reference_kernels().layer_norm_backward.workspace_bytes(a);
  return isa.norm_backward_partials(a.z.size(0), a.z.size(1)) * size_of(DType::kFloat32);
}

template <const Isa& isa>
void dropout(Context& ctx, const kernels::DropoutApply& a) {
  if (!is_fast(a.x.dtype)) return reference_kernels().dropout.run(ctx, a);
  if (!drops(ctx, a.dropout) && !a.residual.defined() && a.x.data == a.y.data) return;
  isa.dropout({.storage = storage_of(a.x),
               .rows = a.x.size(0),
               .columns = a.x.size(1),
               .x = a.x.data,
               .residual = a.residual.data,
               .dropout = dropout_of(ctx, a.dropout),
               .y = a.y.data});
}

template <const Isa& isa>
void activation_backward(Context& ctx, const kernels::ActivationBackward& a) {
  if (!is_fast(a.x.dtype) || a.activation == Activation::kNone) return reference_kernels().activation_backward.run(ctx, a);
  isa.activate({.storage = storage_of(a.x),
                .curve = curve_of(a.activation),
                .rows = a.x.size(0),
                .columns = a.x.size(1),
                .dy = a.dy.data,
                .x = a.x.data,
                .y = a.dx.data,
                .dy_stride = a.dy.stride(0),
                .x_stride = a.x.stride(0),
                .y_stride = a.dx.stride(0)});
}

template <const Isa& isa>
void bias_gradient(Context& ctx, const kernels::BiasGradient& a) {
  if (!is_fast(a.dy.dtype)) return reference_kernels().bias_gradient.run(ctx, a);
  isa.bias_gradient({.storage = storage_of(a.dy),
                     .rows = a.dy.size(0),
                     .columns = a.dy.size(1),
                     .stride = a.dy.stride(0),
                     .dy = a.dy.data,
                     .dbias = a.dbias.as<float>(),
                     .partials = reinterpret_cast<float*>(a.workspace.data)});
}

template <const Isa& isa>
std::int64_t bias_gradient_workspace(const kernels::BiasGradient& a) {
  if (!is_fast(a.dy.dtype)) return reference_kernels().bias_gradient.workspace_bytes(a);
  return isa.bias_gradient_partials(a.dy.size(0), a.dy.size(1)) * size_of(DType::kFloat32);
}

template <const Isa& isa>
void embedding_forward(Context& ctx, const kernels::EmbeddingForward& a) {
  if (!is_fast(a.y.dtype)) return reference_kernels().embedding_forward.run(ctx, a);
  isa.embedding_forward({.storage = storage_of(a.y),
                         .rows = a.y.size(0),
                         .columns = a.y.size(1),
                         .tokens = a.tokens.as<std::int32_t>(),
                         .positions = pointer<std::int32_t>(a.positions),
                         .weight = a.weight.data,
                         .position_table = a.position_table.data,
                         .scale = static_cast<float>(a.scale),
                         .dropout = dropout_of(ctx, a.dropout),
                         .y = a.y.data});
}

template <const Isa& isa>
void embedding_backward(Context& ctx, const kernels::EmbeddingBackward& a) {
  if (!is_fast(a.dy.dtype)) return reference_kernels().embedding_backward.run(ctx, a);
  isa.embedding_backward({.storage = storage_of(a.dy),
                          .rows = a.dy.size(0),
                          .columns = a.dy.size(1),
                          .dy = a.dy.data,
                          .tokens = a.tokens.as<std::int32_t>(),
                          .positions = pointer<std::int32_t>(a.positions),
                          .by_token = a.by_token.as<std::int32_t>(),
                          .scale = static_cast<float>(a.scale),
                          .dropout = dropout_of(ctx, a.dropout),
                          .dweight = a.dweight.as<float>(),
                          .dposition = pointer<float>(a.dposition)});
}

template <const Isa& isa>
void cross_entropy(Context& ctx, const kernels::CrossEntropy& a) {
  if (a.logits.dtype != DType::kFloat32) return reference_kernels().cross_entropy.run(ctx, a);
  isa.cross_entropy({.storage = a.dlogits.defined() ? storage_of(a.dlogits) : Storage::kFloat32,
                     .rows = a.logits.size(0),
                     .columns = a.logits.size(1),
                     .logits = a.logits.as<float>(),
                     .labels = a.labels.as<std::int32_t>(),
                     .weights = a.weights.as<float>(),
                     .label_smoothing = a.label_smoothing,
                     .loss_scale = state(ctx, StepState::kLossScale),
                     .dlogits = a.dlogits.data,
                     .sums = a.sums.as<double>(),
                     .row_sums = reinterpret_cast<double*>(a.workspace.data)});
}

std::int64_t cross_entropy_workspace(const kernels::CrossEntropy& a) {
  if (a.logits.dtype != DType::kFloat32) return reference_kernels().cross_entropy.workspace_bytes(a);
  return a.logits.size(0) * LossSums::kFields * size_of(DType::kFloat64);
}

}  // namespace

template <const Isa& isa>
void install_rows(KernelTable& table) {
  table.layer_norm_forward = {layer_norm_forward<isa>};
  table.layer_norm_backward = {layer_norm_backward<isa>, layer_norm_backward_workspace<isa>};
  table.dropout = {dropout<isa>};
  table.activation_backward = {activation_backward<isa>};
  table.bias_gradient = {bias_gradient<isa>, bias_gradient_workspace<isa>};
  table.embedding_forward = {embedding_forward<isa>};
  table.embedding_backward = {embedding_backward<isa>};
  table.cross_entropy = {cross_entropy<isa>, cross_entropy_workspace};
}

template void install_rows<avx2::isa>(KernelTable&);
template void install_rows<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

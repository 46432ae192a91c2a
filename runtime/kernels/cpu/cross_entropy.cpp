#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void softmax_statistics(Context& ctx, const kernels::RowStatistics& a) {
  if (a.logits.dtype != DType::kFloat32) return reference_kernels().softmax_statistics.run(ctx, a);
  isa.softmax_statistics({.rows = a.logits.size(0),
                          .columns = a.logits.size(1),
                          .first = a.piece.first,
                          .logits = a.logits.as<float>(),
                          .labels = a.labels.as<std::int32_t>(),
                          .statistics = a.statistics.as<double>()});
}

template <const Isa& isa>
void cross_entropy(Context& ctx, const kernels::CrossEntropy& a) {
  if (a.logits.dtype != DType::kFloat32) return reference_kernels().cross_entropy.run(ctx, a);
  isa.cross_entropy({.storage = a.dlogits.defined() ? storage_of(a.dlogits) : Storage::kFloat32,
                     .rows = a.logits.size(0),
                     .columns = a.logits.size(1),
                     .first = a.piece.first,
                     .vocab_size = a.piece.vocab_size,
                     .logits = a.logits.as<float>(),
                     .labels = a.labels.as<std::int32_t>(),
                     .statistics = pointer<double>(a.statistics),
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
void install_cross_entropy(KernelTable& table) {
  table.softmax_statistics = {softmax_statistics<isa>};
  table.cross_entropy = {cross_entropy<isa>, cross_entropy_workspace};
}

template void install_cross_entropy<avx2::isa>(KernelTable&);
template void install_cross_entropy<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

#include <cmath>

#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

float narrow(double x) {
  return static_cast<float>(x);
}

template <const Isa& isa>
void sum_of_squares(Context& ctx, const kernels::SumOfSquares& a) {
  if (a.x.dtype != DType::kFloat32) return reference_kernels().sum_of_squares.run(ctx, a);
  isa.sum_of_squares(a.x.as<float>(), a.x.elements(), ctx.step_state.as<double>() + StepState::kSumOfSquares,
                     reinterpret_cast<double*>(a.workspace.data));
}

template <const Isa& isa>
std::int64_t sum_of_squares_workspace(const kernels::SumOfSquares& a) {
  if (a.x.dtype != DType::kFloat32) return reference_kernels().sum_of_squares.workspace_bytes(a);
  return isa.sum_of_squares_partials(a.x.elements()) * size_of(DType::kFloat64);
}

template <const Isa& isa>
void adam_update(Context& ctx, const kernels::AdamUpdate& a) {
  if (a.master.dtype != DType::kFloat32) return reference_kernels().adam_update.run(ctx, a);
  if (state(ctx, StepState::kFinite) == 0) return;
  const double count = state(ctx, StepState::kAdamCount);
  isa.adam({.storage = storage_of(a.value),
            .size = a.master.elements(),
            .gradient = a.gradient.as<float>(),
            .master = a.master.as<float>(),
            .exp_avg = a.exp_avg.as<float>(),
            .exp_avg_sq = a.exp_avg_sq.as<float>(),
            .value = a.value.data,
            .beta1 = narrow(a.beta1),
            .beta2 = narrow(a.beta2),
            .one_minus_beta1 = narrow(1 - a.beta1),  // in double: 1 - 0.98f is 1e-6 off, relatively
            .one_minus_beta2 = narrow(1 - a.beta2),
            .eps = narrow(a.eps),
            .weight_decay = narrow(a.weight_decay),
            .clip_scale = narrow(state(ctx, StepState::kClipScale)),
            .learning_rate = narrow(state(ctx, StepState::kLearningRate)),
            .correction1 = narrow(1 - std::pow(a.beta1, count)),
            .correction2 = narrow(1 - std::pow(a.beta2, count)),
            .decoupled = a.decoupled});
}

template <const Isa& isa>
void sgd_update(Context& ctx, const kernels::SgdUpdate& a) {
  if (a.master.dtype != DType::kFloat32) return reference_kernels().sgd_update.run(ctx, a);
  if (state(ctx, StepState::kFinite) == 0) return;
  isa.sgd({.storage = storage_of(a.value),
           .size = a.master.elements(),
           .gradient = a.gradient.as<float>(),
           .master = a.master.as<float>(),
           .momentum_buffer = a.momentum != 0 ? a.momentum_buffer.as<float>() : nullptr,
           .value = a.value.data,
           .momentum = narrow(a.momentum),
           .weight_decay = narrow(a.weight_decay),
           .clip_scale = narrow(state(ctx, StepState::kClipScale)),
           .learning_rate = narrow(state(ctx, StepState::kLearningRate)),
           .nesterov = a.nesterov});
}

template <const Isa& isa>
void ema_update(Context& ctx, const kernels::EmaUpdate& a) {
  if (a.master.dtype != DType::kFloat32) return reference_kernels().ema_update.run(ctx, a);
  if (state(ctx, StepState::kFinite) == 0) return;
  isa.ema({.size = a.master.elements(),
           .master = a.master.as<float>(),
           .average = a.average.as<float>(),
           .decay = narrow(a.decay),
           .one_minus_decay = narrow(1 - a.decay)});
}

}  // namespace

template <const Isa& isa>
void install_optimizer(KernelTable& table) {
  table.sum_of_squares = {sum_of_squares<isa>, sum_of_squares_workspace<isa>};
  table.adam_update = {adam_update<isa>};
  table.sgd_update = {sgd_update<isa>};
  table.ema_update = {ema_update<isa>};
}

template void install_optimizer<avx2::isa>(KernelTable&);
template void install_optimizer<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

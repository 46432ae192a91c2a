#include <algorithm>
#include <cmath>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/table.h"
#include "runtime/step_state.h"

namespace weft::kernels::reference {

void sum_of_squares(Context& ctx, const SumOfSquares& a) {
  double sum = 0;
  with_floating(a.x.dtype, [&]<class T>(T) {
    for (T x : a.x.span<T>()) sum += static_cast<double>(load(x)) * static_cast<double>(load(x));
  });
  ctx.step_state.as<double>()[StepState::kSumOfSquares] += sum;
}

void finish_norm(Context& ctx, const FinishNorm& a) {
  double* state = ctx.step_state.as<double>();
  const double norm = std::sqrt(state[StepState::kSumOfSquares]);
  const bool finite = std::isfinite(norm);
  const double clipped = a.max_grad_norm == 0 ? 1 : std::min(1.0, a.max_grad_norm / (norm + 1e-6));
  state[StepState::kGradNorm] = norm;
  state[StepState::kFinite] = finite ? 1 : 0;
  state[StepState::kClipScale] = finite ? clipped : 0;
  state[StepState::kAdamCount] += finite ? 1 : 0;
  state[StepState::kNonFiniteRow] = finite ? 0 : state[StepState::kNonFiniteRow] + 1;
  state[StepState::kSumOfSquares] = 0;
}

void adam_update(Context& ctx, const AdamUpdate& a) {
  const double* state = ctx.step_state.as<double>();
  if (state[StepState::kFinite] == 0) return;
  with_floating(a.value.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const auto gradient = a.gradient.span<S>(), master = a.master.span<S>(), m = a.exp_avg.span<S>(), v = a.exp_avg_sq.span<S>();
    T* value = a.value.as<T>();
    const S clip = S(state[StepState::kClipScale]), rate = S(state[StepState::kLearningRate]);
    const S b1 = S(a.beta1), b2 = S(a.beta2), decay = S(a.weight_decay);
    const S correction1 = S(1 - std::pow(a.beta1, state[StepState::kAdamCount]));
    const S correction2 = S(1 - std::pow(a.beta2, state[StepState::kAdamCount]));
    for (std::size_t i = 0; i < master.size(); ++i) {
      S w = master[i];
      const S g = gradient[i] * clip + (a.decoupled ? S(0) : decay * w);
      m[i] = b1 * m[i] + S(1 - a.beta1) * g;  // 1 - beta in double: 1 - 0.98f is 1e-6 off, relatively
      v[i] = b2 * v[i] + S(1 - a.beta2) * g * g;
      if (a.decoupled) w -= rate * decay * w;
      w -= rate * (m[i] / correction1) / (std::sqrt(v[i] / correction2) + S(a.eps));
      master[i] = w;
      value[i] = store<T>(w);
    }
  });
}

void sgd_update(Context& ctx, const SgdUpdate& a) {
  const double* state = ctx.step_state.as<double>();
  if (state[StepState::kFinite] == 0) return;
  with_floating(a.value.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const auto gradient = a.gradient.span<S>(), master = a.master.span<S>();
    S* buffer = a.momentum != 0 ? a.momentum_buffer.as<S>() : nullptr;
    T* value = a.value.as<T>();
    const S clip = S(state[StepState::kClipScale]), rate = S(state[StepState::kLearningRate]), momentum = S(a.momentum);
    for (std::size_t i = 0; i < master.size(); ++i) {
      S update = gradient[i] * clip + S(a.weight_decay) * master[i];
      if (buffer) {
        buffer[i] = momentum * buffer[i] + update;
        update = a.nesterov ? update + momentum * buffer[i] : buffer[i];
      }
      master[i] -= rate * update;
      value[i] = store<T>(master[i]);
    }
  });
}

void ema_update(Context& ctx, const EmaUpdate& a) {
  if (ctx.step_state.as<double>()[StepState::kFinite] == 0) return;
  with_floating(a.master.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const auto master = a.master.span<T>(), average = a.average.span<T>();
    for (std::size_t i = 0; i < master.size(); ++i) {
      average[i] = store<T>(S(a.decay) * load(average[i]) + S(1 - a.decay) * load(master[i]));
    }
  });
}

}  // namespace weft::kernels::reference

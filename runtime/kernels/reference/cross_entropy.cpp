#include <cmath>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/kernels.h"
#include "runtime/step_state.h"

namespace weft::kernels::reference {
namespace {

/// What one row of logits gives: its softmax is exp(logit - max) / sum.
template <class S>
struct RowSoftmax {
  S max, sum, log_sum;
  S mean_shifted;       // mean of logit - max
  std::int64_t argmax;  // the first of the largest

  RowSoftmax(const S* logits, std::int64_t columns) : max(logits[0]), sum(0), argmax(0) {
    for (std::int64_t v = 1; v < columns; ++v) {
      if (logits[v] > max) {
        max = logits[v];
        argmax = v;
      }
    }
    S shifted = 0;
    for (std::int64_t v = 0; v < columns; ++v) {
      sum += std::exp(logits[v] - max);
      shifted += logits[v] - max;
    }
    log_sum = std::log(sum);
    mean_shifted = shifted / S(columns);
  }
};

template <class S>
void add_loss(const CrossEntropy& a, const RowSoftmax<S>& p, S label_logit, std::int64_t r) {
  double* sums = a.sums.as<double>();
  const double weight = a.weights.as<float>()[r];
  const double nll = p.log_sum - (label_logit - p.max), smooth = p.log_sum - p.mean_shifted;
  sums[LossSums::kLoss] += weight * ((1 - a.label_smoothing) * nll + a.label_smoothing * smooth);
  sums[LossSums::kNll] += weight * nll;
  sums[LossSums::kCount] += weight;
  if (p.argmax == a.labels.as<std::int32_t>()[r]) sums[LossSums::kCorrect] += weight;
}

}  // namespace

void cross_entropy(Context& ctx, const CrossEntropy& a) {
  const double loss_scale = ctx.step_state.as<double>()[StepState::kLossScale];
  with_floating(a.dlogits.defined() ? a.dlogits.dtype : a.logits.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const std::int64_t columns = a.logits.size(1);
    const S smoothing = S(a.label_smoothing), spread = smoothing / S(columns);
    for (std::int64_t r = 0; r < a.logits.size(0); ++r) {
      const S* logits = row<S>(a.logits, r);
      const std::int64_t label = checked_index("cross_entropy: label", a.labels.as<std::int32_t>()[r], columns);
      const RowSoftmax<S> p(logits, columns);
      add_loss(a, p, logits[label], r);
      if (!a.dlogits.defined()) continue;
      const S scale = S(loss_scale * a.weights.as<float>()[r]);
      T* dlogits = row<T>(a.dlogits, r);
      for (std::int64_t v = 0; v < columns; ++v) {
        const S target = spread + (v == label ? 1 - smoothing : S(0));
        dlogits[v] = store<T>(scale * (std::exp(logits[v] - p.max) / p.sum - target));
      }
    }
  });
}

}  // namespace weft::kernels::reference

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <span>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/table.h"
#include "runtime/step_state.h"

namespace weft::kernels::reference {
namespace {

using Field = SoftmaxStatistics;
using RowFields = std::array<double, Field::kFields>;
constexpr RowFields kNothing{-std::numeric_limits<double>::infinity(), 0, 0, 0, 0};

/// `label`: its column, in this piece or not.
template <class Real>
RowFields statistics_of(std::span<const Real> logits, std::int64_t label, std::int64_t first_token) {
  RowFields s = kNothing;
  const auto columns = static_cast<std::int64_t>(logits.size());
  for (std::int64_t v = 0; v < columns; ++v) {
    const Real logit = logits[static_cast<std::size_t>(v)];
    s[Field::kTotal] += logit;
    if (v > 0 && !(logit > s[Field::kMax])) continue;
    s[Field::kMax] = logit;
    s[Field::kArgmax] = static_cast<double>(first_token + v);
  }
  for (const Real logit : logits) s[Field::kSum] += std::exp(static_cast<double>(logit) - s[Field::kMax]);
  if (label >= 0 && label < columns) s[Field::kLabel] = logits[static_cast<std::size_t>(label)];
  return s;
}

void add_loss(const CrossEntropy& a, const RowFields& s, std::int64_t r) {
  double* sums = a.sums.as<double>();
  const double weight = a.weights.as<float>()[r], log_z = s[Field::kMax] + std::log(s[Field::kSum]);
  const double nll = log_z - s[Field::kLabel], smooth = log_z - s[Field::kTotal] / static_cast<double>(a.piece.vocab_size);
  sums[LossSums::kLoss] += weight * ((1 - a.label_smoothing) * nll + a.label_smoothing * smooth);
  sums[LossSums::kNll] += weight * nll;
  sums[LossSums::kCount] += weight;
  if (s[Field::kArgmax] == static_cast<double>(a.labels.as<std::int32_t>()[r])) sums[LossSums::kCorrect] += weight;
}

template <class Real>
std::span<const Real> logits_of_row(const Tensor& logits, std::int64_t r) {
  return {row<Real>(logits, r), static_cast<std::size_t>(logits.size(1))};
}

}  // namespace

void softmax_statistics(Context&, const RowStatistics& a) {
  with_floating(a.logits.dtype, [&]<class T>(T) {
    using Real = SumType<T>;
    for (std::int64_t r = 0; r < a.logits.size(0); ++r) {
      const std::int64_t label = a.labels.as<std::int32_t>()[r] - a.piece.first;
      const RowFields s = statistics_of(logits_of_row<Real>(a.logits, r), label, a.piece.first);
      std::copy(s.begin(), s.end(), row<double>(a.statistics, r));
    }
  });
}

void merge_statistics(Context&, const MergeStatistics& a) {
  const std::int64_t rows = a.statistics.size(0), all = a.pieces.size(0);
  for (std::int64_t r = 0; r < rows; ++r) {
    RowFields s = kNothing;
    for (std::int64_t i = r; i < all; i += rows) {
      const double* piece = row<double>(a.pieces, i);
      s[Field::kTotal] += piece[Field::kTotal];
      s[Field::kLabel] += piece[Field::kLabel];
      if (!(piece[Field::kMax] > s[Field::kMax])) continue;
      s[Field::kMax] = piece[Field::kMax];
      s[Field::kArgmax] = piece[Field::kArgmax];
    }
    for (std::int64_t i = r; i < all; i += rows) {
      const double* piece = row<double>(a.pieces, i);
      s[Field::kSum] += piece[Field::kSum] * std::exp(piece[Field::kMax] - s[Field::kMax]);
    }
    std::copy(s.begin(), s.end(), row<double>(a.statistics, r));
  }
}

void cross_entropy(Context& ctx, const CrossEntropy& a) {
  const double loss_scale = ctx.step_state.as<double>()[StepState::kLossScale];
  with_floating(a.dlogits.defined() ? a.dlogits.dtype : a.logits.dtype, [&]<class T>(T) {
    using Real = SumType<T>;
    const std::int64_t columns = a.logits.size(1);
    const Real smoothing = Real(a.label_smoothing), spread = smoothing / Real(a.piece.vocab_size);
    for (std::int64_t r = 0; r < a.logits.size(0); ++r) {
      const std::span<const Real> logits = logits_of_row<Real>(a.logits, r);
      const std::int64_t label = checked_index("cross_entropy: label", a.labels.as<std::int32_t>()[r], a.piece.vocab_size) - a.piece.first;
      RowFields s;
      if (a.statistics.defined()) {
        std::copy_n(row<double>(a.statistics, r), s.size(), s.begin());
      } else {
        s = statistics_of(logits, label, 0);
      }
      add_loss(a, s, r);
      if (!a.dlogits.defined()) continue;
      const Real scale = Real(loss_scale * a.weights.as<float>()[r]), max = Real(s[Field::kMax]), sum = Real(s[Field::kSum]);
      T* dlogits = row<T>(a.dlogits, r);
      for (std::int64_t v = 0; v < columns; ++v) {
        const Real target = spread + (v == label ? 1 - smoothing : Real(0));
        dlogits[v] = store<T>(scale * (std::exp(logits[static_cast<std::size_t>(v)] - max) / sum - target));
      }
    }
  });
}

}  // namespace weft::kernels::reference

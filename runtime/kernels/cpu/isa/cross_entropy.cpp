#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/vector.h"

// Three passes over a row, which a cache holds: maximum, sum of exponentials, gradient. Reads V once from memory, writes V once.
namespace weft::cpu::WEFT_ISA {
namespace {

enum Sum { kLoss, kNll, kCount, kCorrect, kSums };                         // the order of LossSums
enum Statistic { kMax, kSum, kTotal, kLabelLogit, kArgmax, kStatistics };  // the order of SoftmaxStatistics

/// What the loss and the gradient of a whole row are made of.
struct RowSoftmax {
  float max, sum;
  double log_sum, mean_shifted;  // mean of logit - max
  float label_logit;
  bool correct;
};

float maximum(const float* logits, std::int64_t columns) {
  float max = logits[0];
#pragma omp simd reduction(max : max)
  for (std::int64_t v = 0; v < columns; ++v) max = logits[v] > max ? logits[v] : max;
  return max;
}

struct Shifted {
  float exponentials, total;  // sums of exp(logit - max) and of logit - max
};

/// `exponentials`, if there, receives exp(logit - max); it may be the logits themselves.
Shifted sum_shifted(const float* logits, std::int64_t columns, float max, float* exponentials) {
  const std::int64_t whole = columns / kLanes * kLanes;
  Vector sums{}, shifts{};
  for (std::int64_t v = 0; v < whole; v += kLanes) {
    const Vector x = load_vector(logits + v) - max, e = exponential(x);
    shifts += x;
    sums += e;
    if (exponentials != nullptr) store_vector(exponentials + v, e);
  }
  float sum = sum_of(sums), shifted = sum_of(shifts);
  for (std::int64_t v = whole; v < columns; ++v) {
    const float x = logits[v] - max, e = exponential(x);
    shifted += x;
    sum += e;
    if (exponentials != nullptr) exponentials[v] = e;
  }
  return {sum, shifted};
}

/// The first of the largest logits; columns where none is.
std::int64_t first_equal(const float* logits, std::int64_t columns, float max) {
  std::int64_t v = 0;
  while (v < columns && !(logits[v] == max)) ++v;
  return v;
}

/// In fp32 `exponentials` (the gradient's place) receives exp(logit - max).
RowSoftmax softmax_of_row(const CrossEntropy& a, std::int64_t r, float* exponentials) {
  const float* logits = a.logits + r * a.columns;
  const std::int64_t label = a.labels[r];
  const float label_logit = logits[label], max = maximum(logits, a.columns);
  const bool correct = label_logit == max && first_equal(logits, label, max) == label;
  const Shifted shifted = sum_shifted(logits, a.columns, max, exponentials);
  return {.max = max,
          .sum = shifted.exponentials,
          .log_sum = __builtin_log(static_cast<double>(shifted.exponentials)),
          .mean_shifted = static_cast<double>(shifted.total) / static_cast<double>(a.columns),
          .label_logit = label_logit,
          .correct = correct};
}

RowSoftmax softmax_of_statistics(const CrossEntropy& a, std::int64_t r) {
  const double* s = a.statistics + r * kStatistics;
  return {.max = static_cast<float>(s[kMax]),
          .sum = static_cast<float>(s[kSum]),
          .log_sum = __builtin_log(s[kSum]),
          .mean_shifted = s[kTotal] / static_cast<double>(a.vocab_size) - s[kMax],
          .label_logit = static_cast<float>(s[kLabelLogit]),
          .correct = s[kArgmax] == static_cast<double>(a.labels[r])};
}

/// What a row multiplies its softmax with, and what it subtracts.
struct Slope {
  float scale, inverse, spread;
};

template <class S>
void write_gradient(const CrossEntropy& a, std::int64_t r, const RowSoftmax& p, const Slope& s) {
  constexpr std::int64_t kTile = 512;
  float tile[kTile];
  S* dlogits = at<S>(a.dlogits, r * a.columns);
  for (std::int64_t begin = 0; begin < a.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.columns - begin);
    exponentials_of(a.logits + r * a.columns + begin, p.max, count, tile);
#pragma omp simd
    for (std::int64_t v = 0; v < count; ++v) store(dlogits[begin + v], s.scale * (tile[v] * s.inverse - s.spread));
  }
}

/// dlogits holds exp(logit - max) already.
void scale_exponentials(const CrossEntropy& a, std::int64_t r, const Slope& s) {
  float* dlogits = at<float>(a.dlogits, r * a.columns);
#pragma omp simd
  for (std::int64_t v = 0; v < a.columns; ++v) dlogits[v] = s.scale * (dlogits[v] * s.inverse - s.spread);
}

void gradient_of_row(const CrossEntropy& a, std::int64_t r, const RowSoftmax& p, bool has_exponentials) {
  const float smoothing = static_cast<float>(a.label_smoothing), spread = smoothing / static_cast<float>(a.vocab_size);
  const Slope s{static_cast<float>(a.loss_scale * static_cast<double>(a.weights[r])), 1.f / p.sum, spread};
  const std::int64_t label = a.labels[r] - a.first, place = r * a.columns + label;
  const float at_label = s.scale * (exponential(p.label_logit - p.max) * s.inverse - (spread + (1.f - smoothing)));
  const bool has_label = label >= 0 && label < a.columns;
  if (a.storage == Storage::kBFloat16) {
    write_gradient<bf16>(a, r, p, s);
    if (has_label) store(*at<bf16>(a.dlogits, place), at_label);
    return;
  }
  if (has_exponentials) {
    scale_exponentials(a, r, s);
  } else {
    write_gradient<float>(a, r, p, s);
  }
  if (has_label) *at<float>(a.dlogits, place) = at_label;
}

void one_row(const CrossEntropy& a, std::int64_t r) {
  const bool whole = a.statistics == nullptr, in_place = whole && a.dlogits != nullptr && a.storage == Storage::kFloat32;
  const RowSoftmax p = whole ? softmax_of_row(a, r, in_place ? at<float>(a.dlogits, r * a.columns) : nullptr) : softmax_of_statistics(a, r);
  const double weight = a.weights[r];
  const double nll = p.log_sum - (static_cast<double>(p.label_logit) - static_cast<double>(p.max));
  const double smooth = p.log_sum - p.mean_shifted;
  double* sums = a.row_sums + r * kSums;
  sums[kLoss] = weight * ((1 - a.label_smoothing) * nll + a.label_smoothing * smooth);
  sums[kNll] = weight * nll;
  sums[kCount] = weight;
  sums[kCorrect] = p.correct ? weight : 0;
  if (a.dlogits != nullptr) gradient_of_row(a, r, p, in_place);
}

void statistics_of_row(const RowStatistics& a, std::int64_t r) {
  double* s = a.statistics + r * kStatistics;
  s[kMax] = -__builtin_inf();
  s[kSum] = s[kTotal] = s[kLabelLogit] = s[kArgmax] = 0;
  if (a.columns == 0) return;
  const float* logits = a.logits + r * a.columns;
  const std::int64_t label = a.labels[r] - a.first;
  const float max = maximum(logits, a.columns);
  const Shifted shifted = sum_shifted(logits, a.columns, max, nullptr);
  s[kMax] = max;
  s[kSum] = shifted.exponentials;
  s[kTotal] = static_cast<double>(shifted.total) + static_cast<double>(a.columns) * static_cast<double>(max);
  if (label >= 0 && label < a.columns) s[kLabelLogit] = logits[label];
  s[kArgmax] = static_cast<double>(a.first + first_equal(logits, a.columns, max));
}

}  // namespace

void softmax_statistics(const RowStatistics& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) statistics_of_row(a, r);
}

void cross_entropy(const CrossEntropy& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) one_row(a, r);
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (int k = 0; k < kSums; ++k) a.sums[k] += a.row_sums[r * kSums + k];
  }
}

}  // namespace weft::cpu::WEFT_ISA

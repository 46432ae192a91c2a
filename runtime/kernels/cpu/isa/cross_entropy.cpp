#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/vector.h"

// Three passes over a row, which a cache holds: maximum, sum of exponentials, gradient. Reads V once from memory, writes V once.
namespace weft::cpu::WEFT_ISA {
namespace {

enum Sum { kLoss, kNll, kCount, kCorrect, kSums };  // the order of LossSums

struct RowSoftmax {
  float max, sum, shifted;  // shifted: sum of logit - max
};

float maximum(const float* logits, std::int64_t columns) {
  float max = logits[0];
#pragma omp simd reduction(max : max)
  for (std::int64_t v = 0; v < columns; ++v) max = logits[v] > max ? logits[v] : max;
  return max;
}

/// `exponentials`, if there, receives exp(logit - max); it may be the logits themselves.
RowSoftmax softmax(const float* logits, std::int64_t columns, float max, float* exponentials) {
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
  return {max, sum, shifted};
}

/// The label is the first of the largest logits.
bool is_argmax(const float* logits, std::int64_t label, float max) {
  if (!(logits[label] == max)) return false;
  for (std::int64_t v = 0; v < label; ++v) {
    if (logits[v] == max) return false;
  }
  return true;
}

/// In fp32 dlogits holds exp(logit - max) already; in bf16 it is computed again.
void write_gradient(const CrossEntropy& a, std::int64_t r, const RowSoftmax& p, float label_exponential) {
  const float smoothing = static_cast<float>(a.label_smoothing), spread = smoothing / static_cast<float>(a.columns);
  const float scale = static_cast<float>(a.loss_scale * static_cast<double>(a.weights[r])), inverse = 1.f / p.sum;
  const std::int64_t label = a.labels[r];
  const float at_label = scale * (label_exponential * inverse - (spread + (1.f - smoothing)));
  if (a.storage == Storage::kFloat32) {
    float* dlogits = at<float>(a.dlogits, r * a.columns);
#pragma omp simd
    for (std::int64_t v = 0; v < a.columns; ++v) dlogits[v] = scale * (dlogits[v] * inverse - spread);
    dlogits[label] = at_label;
    return;
  }
  constexpr std::int64_t kTile = 512;
  float tile[kTile];
  bf16* dlogits = at<bf16>(a.dlogits, r * a.columns);
  for (std::int64_t begin = 0; begin < a.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.columns - begin);
    exponentials_of(a.logits + r * a.columns + begin, p.max, count, tile);
#pragma omp simd
    for (std::int64_t v = 0; v < count; ++v) store(dlogits[begin + v], scale * (tile[v] * inverse - spread));
  }
  store(dlogits[label], at_label);
}

void one_row(const CrossEntropy& a, std::int64_t r) {
  const float* logits = a.logits + r * a.columns;
  const std::int64_t label = a.labels[r];
  const float label_logit = logits[label];
  const float max = maximum(logits, a.columns);
  const bool correct = is_argmax(logits, label, max);
  const bool in_place = a.dlogits != nullptr && a.storage == Storage::kFloat32;
  const RowSoftmax p = softmax(logits, a.columns, max, in_place ? at<float>(a.dlogits, r * a.columns) : nullptr);

  const double weight = a.weights[r], log_sum = __builtin_log(static_cast<double>(p.sum));
  const double nll = log_sum - (static_cast<double>(label_logit) - static_cast<double>(p.max));
  const double smooth = log_sum - static_cast<double>(p.shifted) / static_cast<double>(a.columns);
  double* sums = a.row_sums + r * kSums;
  sums[kLoss] = weight * ((1 - a.label_smoothing) * nll + a.label_smoothing * smooth);
  sums[kNll] = weight * nll;
  sums[kCount] = weight;
  sums[kCorrect] = correct ? weight : 0;
  if (a.dlogits != nullptr) write_gradient(a, r, p, exponential(label_logit - p.max));
}

}  // namespace

void cross_entropy(const CrossEntropy& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) one_row(a, r);
  for (std::int64_t r = 0; r < a.rows; ++r) {
    for (int k = 0; k < kSums; ++k) a.sums[k] += a.row_sums[r * kSums + k];
  }
}

}  // namespace weft::cpu::WEFT_ISA

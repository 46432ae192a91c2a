#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"

// Forward: one row at a time, read from memory once. Backward: blocks of kBlock rows, each with its own partial sums of the gradients of
// weight and bias, added in the order of the blocks, so the bits do not depend on the number of threads.
namespace weft::cpu::WEFT_ISA {
namespace {

constexpr std::int64_t kBlock = 64;

/// RMS norm: rstd from the squares alone, no mean and no bias.
template <class S>
void scale_by_rms(const NormForward& a, const S* x, std::int64_t r) {
  const std::int64_t columns = a.x.columns;
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t c = 0; c < columns; ++c) squares += load(x[c]) * load(x[c]);
  const float rstd = 1.f / __builtin_sqrtf(squares / static_cast<float>(columns) + a.eps);
  a.rstd[r] = rstd;
  const S* weight = at<S>(a.weight, 0);
  S* y = row<S>(a.y, r);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) store(y[c], load(x[c]) * rstd * load(weight[c]));
}

template <class S>
void normalize(const NormForward& a, const S* x, std::int64_t r) {
  if (a.mean == nullptr) return scale_by_rms(a, x, r);
  const std::int64_t columns = a.x.columns;
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t c = 0; c < columns; ++c) sum += load(x[c]);
  const float mean = sum / static_cast<float>(columns);
  float squares = 0;
#pragma omp simd reduction(+ : squares)
  for (std::int64_t c = 0; c < columns; ++c) {
    const float centered = load(x[c]) - mean;
    squares += centered * centered;
  }
  const float rstd = 1.f / __builtin_sqrtf(squares / static_cast<float>(columns) + a.eps);
  a.mean[r] = mean;
  a.rstd[r] = rstd;
  const S *weight = at<S>(a.weight, 0), *bias = at<S>(a.bias, 0);
  S* y = row<S>(a.y, r);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) store(y[c], (load(x[c]) - mean) * rstd * load(weight[c]) + load(bias[c]));
}

template <class S>
void forward(const NormForward& a) {
  const bool joins = a.residual.data != nullptr;
#pragma omp parallel for schedule(static) if (a.x.rows * a.x.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.x.rows; ++r) {
    if (joins) drop_row(a.dropout, r, a.x.columns, row<S>(a.x, r), row<S>(a.residual, r), row<S>(a.z, r));
    normalize<S>(a, row<S>(joins ? a.z : a.x, r), r);
  }
}

/// One row: dz and dx overwritten, dweight and dbias (of this block) added to; RMS norm is not centered. dz may be dy or dz_add: tile by
/// tile, all is read before it is written.
template <class S, bool centered>
void backward_row(const NormBackward& a, std::int64_t r, float* dweight, float* dbias) {
  const std::int64_t columns = a.z.columns;
  const S *dy = row<S>(a.dy, r), *z = row<S>(a.z, r), *weight = at<S>(a.weight, 0), *add = row_or_null<S>(a.dz_add, r);
  S *out = row<S>(a.dz, r), *dx = row_or_null<S>(a.dx, r);
  const float mean = centered ? a.mean[r] : 0.f, rstd = a.rstd[r];
  float sum_g = 0, sum_g_xhat = 0;
#pragma omp simd reduction(+ : sum_g, sum_g_xhat)
  for (std::int64_t c = 0; c < columns; ++c) {
    const float d = load(dy[c]), xhat = (load(z[c]) - mean) * rstd, g = d * load(weight[c]);
    sum_g += g;
    sum_g_xhat += g * xhat;
    dweight[c] += d * xhat;
    if constexpr (centered) dbias[c] += d;
  }
  const float mean_g = centered ? sum_g / static_cast<float>(columns) : 0.f, mean_g_xhat = sum_g_xhat / static_cast<float>(columns);
  float dz[kTile];
  for (std::int64_t begin = 0; begin < columns; begin += kTile) {
    const std::int64_t count = min(kTile, columns - begin);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) {
      const float xhat = (load(z[begin + c]) - mean) * rstd;
      dz[c] = rstd * (load(dy[begin + c]) * load(weight[begin + c]) - mean_g - xhat * mean_g_xhat);
    }
    if (add != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) dz[c] += load(add[begin + c]);
    }
    // dx first: where it is dy or dz_add, dz is another tensor, so nothing that is still to be read is lost.
    if (dx != nullptr) drop_tile<float, S>(a.dropout, r, begin, count, dz, nullptr, dx + begin);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(out[begin + c], dz[c]);
  }
}

template <class S, bool centered>
void backward(const NormBackward& a) {
  const std::int64_t rows = a.z.rows, columns = a.z.columns, blocks = ceil_div(rows, kBlock);
#pragma omp parallel for schedule(static) if (rows * columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    float *dweight = a.partials + block * 2 * columns, *dbias = dweight + columns;
    for (std::int64_t c = 0; c < 2 * columns; ++c) dweight[c] = 0;
    const std::int64_t end = min(rows, (block + 1) * kBlock);
    for (std::int64_t r = block * kBlock; r < end; ++r) backward_row<S, centered>(a, r, dweight, dbias);
  }
  for (std::int64_t block = 0; block < blocks; ++block) {
    const float *dweight = a.partials + block * 2 * columns, *dbias = dweight + columns;
#pragma omp simd
    for (std::int64_t c = 0; c < columns; ++c) {
      a.dweight[c] += dweight[c];
      if constexpr (centered) a.dbias[c] += dbias[c];
    }
  }
}

}  // namespace

void norm_forward(const NormForward& a) {
  return a.x.storage == Storage::kBFloat16 ? forward<bf16>(a) : forward<float>(a);
}

void norm_backward(const NormBackward& a) {
  if (a.mean == nullptr) return a.z.storage == Storage::kBFloat16 ? backward<bf16, false>(a) : backward<float, false>(a);
  return a.z.storage == Storage::kBFloat16 ? backward<bf16, true>(a) : backward<float, true>(a);
}

std::int64_t norm_backward_partials(std::int64_t rows, std::int64_t columns) {
  return ceil_div(rows, kBlock) * 2 * columns;
}

}  // namespace weft::cpu::WEFT_ISA

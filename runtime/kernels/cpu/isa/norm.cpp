#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"

// Forward: one row at a time, read from memory once. Backward: blocks of kBlock rows, each with its own partial sums of the gradients of
// weight and bias, added in the order of the blocks, so the bits do not depend on the number of threads.
namespace weft::cpu::WEFT_ISA {
namespace {

constexpr std::int64_t kBlock = 64;

/// z = residual + dropout(x), as it is stored.
template <class S>
void add_residual(const NormForward& a, std::int64_t r) {
  const S *x = at<S>(a.x, r * a.columns), *residual = at<S>(a.residual, r * a.columns);
  S* z = at<S>(a.z, r * a.columns);
  if (!a.dropout.active) {
#pragma omp simd
    for (std::int64_t c = 0; c < a.columns; ++c) store(z[c], load(residual[c]) + load(x[c]));
    return;
  }
  std::uint32_t words[kTile];
  for (std::int64_t begin = 0; begin < a.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.columns - begin);
    row_words(a.dropout, r, begin, count, words);
    const Keep keep(a.dropout);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(z[begin + c], load(residual[begin + c]) + load(x[begin + c]) * keep(words[c]));
  }
}

template <class S>
void normalize(const NormForward& a, const S* x, std::int64_t r) {
  const std::int64_t columns = a.columns;
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
  S* y = at<S>(a.y, r * columns);
#pragma omp simd
  for (std::int64_t c = 0; c < columns; ++c) store(y[c], (load(x[c]) - mean) * rstd * load(weight[c]) + load(bias[c]));
}

template <class S>
void forward(const NormForward& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) {
    if (a.residual != nullptr) add_residual<S>(a, r);
    normalize<S>(a, at<S>(a.residual != nullptr ? a.z : a.x, r * a.columns), r);
  }
}

/// dx = dropout(dz), of the values before they are rounded to the storage type.
template <class S>
void drop_row(const NormBackward& a, std::int64_t r, std::int64_t begin, std::int64_t count, const float* dz) {
  S* dx = at<S>(a.dx, r * a.columns + begin);
  if (!a.dropout.active) {
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(dx[c], dz[c]);
    return;
  }
  std::uint32_t words[kTile];
  row_words(a.dropout, r, begin, count, words);
  const Keep keep(a.dropout);
#pragma omp simd
  for (std::int64_t c = 0; c < count; ++c) store(dx[c], dz[c] * keep(words[c]));
}

/// One row: dz and dx overwritten, dweight and dbias (of this block) added to. dz may be dy or add: tile by tile, all is read before it is
/// written.
template <class S>
void backward_row(const NormBackward& a, std::int64_t r, float* dweight, float* dbias) {
  const std::int64_t columns = a.columns;
  const S *dy = at<S>(a.dy, r * columns), *z = at<S>(a.z, r * columns), *weight = at<S>(a.weight, 0);
  const S* add = a.add != nullptr ? at<S>(a.add, r * columns) : nullptr;
  S* out = at<S>(a.dz, r * columns);
  const float mean = a.mean[r], rstd = a.rstd[r];
  float sum_g = 0, sum_g_xhat = 0;
#pragma omp simd reduction(+ : sum_g, sum_g_xhat)
  for (std::int64_t c = 0; c < columns; ++c) {
    const float d = load(dy[c]), xhat = (load(z[c]) - mean) * rstd, g = d * load(weight[c]);
    sum_g += g;
    sum_g_xhat += g * xhat;
    dweight[c] += d * xhat;
    dbias[c] += d;
  }
  const float mean_g = sum_g / static_cast<float>(columns), mean_g_xhat = sum_g_xhat / static_cast<float>(columns);
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
    // dx first: where it is dy or add, dz is another tensor, so nothing that is still to be read is lost.
    if (a.dx != nullptr) drop_row<S>(a, r, begin, count, dz);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) store(out[begin + c], dz[c]);
  }
}

template <class S>
void backward(const NormBackward& a) {
  const std::int64_t blocks = ceil_div(a.rows, kBlock);
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    float *dweight = a.partials + block * 2 * a.columns, *dbias = dweight + a.columns;
    for (std::int64_t c = 0; c < 2 * a.columns; ++c) dweight[c] = 0;
    const std::int64_t end = min(a.rows, (block + 1) * kBlock);
    for (std::int64_t r = block * kBlock; r < end; ++r) backward_row<S>(a, r, dweight, dbias);
  }
  for (std::int64_t block = 0; block < blocks; ++block) {
    const float *dweight = a.partials + block * 2 * a.columns, *dbias = dweight + a.columns;
#pragma omp simd
    for (std::int64_t c = 0; c < a.columns; ++c) {
      a.dweight[c] += dweight[c];
      a.dbias[c] += dbias[c];
    }
  }
}

}  // namespace

void norm_forward(const NormForward& a) {
  return a.storage == Storage::kBFloat16 ? forward<bf16>(a) : forward<float>(a);
}

void norm_backward(const NormBackward& a) {
  return a.storage == Storage::kBFloat16 ? backward<bf16>(a) : backward<float>(a);
}

std::int64_t norm_backward_partials(std::int64_t rows, std::int64_t columns) {
  return ceil_div(rows, kBlock) * 2 * columns;
}

}  // namespace weft::cpu::WEFT_ISA

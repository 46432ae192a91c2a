#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"
#include "runtime/kernels/cpu/isa/vector.h"

namespace weft::cpu::WEFT_ISA {
namespace {

/// y = (residual, or 0) + x kept.
template <class S>
void dropout_row(const DropoutApply& a, std::int64_t r) {
  const S *x = at<S>(a.x, r * a.columns), *residual = a.residual != nullptr ? at<S>(a.residual, r * a.columns) : nullptr;
  S* y = at<S>(a.y, r * a.columns);
  const Keep keep(a.dropout);
  std::uint32_t words[kTile];
  for (std::int64_t begin = 0; begin < a.columns; begin += kTile) {
    const std::int64_t count = min(kTile, a.columns - begin);
    if (!a.dropout.active) {
      for (std::int64_t c = 0; c < kTile; ++c) words[c] = 0;
    } else {
      row_words(a.dropout, r, begin, count, words);
    }
    if (residual != nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) store(y[begin + c], load(residual[begin + c]) + load(x[begin + c]) * keep(words[c]));
    } else {
#pragma omp simd
      for (std::int64_t c = 0; c < count; ++c) store(y[begin + c], load(x[begin + c]) * keep(words[c]));
    }
  }
}

/// gelu_tanh: x sigmoid(2 u), u = sqrt(2 / pi) (x + 0.044715 x^3), which keeps its digits where 1 + tanh(u) cancels.
constexpr float kTwoRootTwoOverPi = 1.595769121605731f;

template <Curve curve>
float value(float x) {
  if constexpr (curve == Curve::kRelu) return x > 0 ? x : 0.f;
  if constexpr (curve == Curve::kGelu) {
    float density, distribution;
    normal(x, density, distribution);
    return x * distribution;
  }
  return x / (1.f + exponential(-kTwoRootTwoOverPi * (x + 0.044715f * x * x * x)));
}

template <Curve curve>
float derivative(float x) {
  if constexpr (curve == Curve::kRelu) return x > 0 ? 1.f : 0.f;
  if constexpr (curve == Curve::kGelu) {
    float density, distribution;
    normal(x, density, distribution);
    return distribution + x * density;
  }
  const float s = 1.f / (1.f + exponential(-kTwoRootTwoOverPi * (x + 0.044715f * x * x * x)));
  return s + x * s * (1.f - s) * kTwoRootTwoOverPi * (1.f + 3 * 0.044715f * x * x);
}

template <class S, Curve curve>
void activate_rows(const Activate& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) {
    const S* x = at<S>(a.x, r * a.x_stride);
    S* y = at<S>(a.y, r * a.y_stride);
    if (a.dy == nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < a.columns; ++c) store(y[c], value<curve>(load(x[c])));
    } else {
      const S* dy = at<S>(a.dy, r * a.dy_stride);
#pragma omp simd
      for (std::int64_t c = 0; c < a.columns; ++c) store(y[c], load(dy[c]) * derivative<curve>(load(x[c])));
    }
  }
}

template <class S>
void activate_as(const Activate& a) {
  switch (a.curve) {
    case Curve::kRelu:
      return activate_rows<S, Curve::kRelu>(a);
    case Curve::kGelu:
      return activate_rows<S, Curve::kGelu>(a);
    case Curve::kGeluTanh:
      return activate_rows<S, Curve::kGeluTanh>(a);
  }
}

constexpr std::int64_t kSumBlock = 64;  // rows of one partial sum: cut by the size of the data, never by threads

template <class S>
void sum_columns(const BiasGradient& a) {
  const std::int64_t blocks = ceil_div(a.rows, kSumBlock);
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) {
    float* sums = a.partials + block * a.columns;
    for (std::int64_t c = 0; c < a.columns; ++c) sums[c] = 0;
    const std::int64_t end = min(a.rows, (block + 1) * kSumBlock);
    for (std::int64_t r = block * kSumBlock; r < end; ++r) {
      const S* dy = at<S>(a.dy, r * a.stride);
#pragma omp simd
      for (std::int64_t c = 0; c < a.columns; ++c) sums[c] += load(dy[c]);
    }
  }
  for (std::int64_t block = 0; block < blocks; ++block) {
    const float* sums = a.partials + block * a.columns;
#pragma omp simd
    for (std::int64_t c = 0; c < a.columns; ++c) a.dbias[c] += sums[c];
  }
}

template <class From, class To>
void convert_rows(const Convert& a) {
#pragma omp parallel for schedule(static) if (a.rows * a.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.rows; ++r) {
    const From* x = at<From>(a.x, r * a.x_stride);
    To* y = at<To>(a.y, r * a.y_stride);
#pragma omp simd
    for (std::int64_t c = 0; c < a.columns; ++c) store(y[c], load(x[c]));
  }
}

}  // namespace

void dropout(const DropoutApply& a) {
  // Without dropout every word is kept: 0 >= threshold 0, times 1.
  DropoutApply b = a;
  if (!a.dropout.active) {
    b.dropout.threshold = 0;
    b.dropout.scale = 1.f;
  }
#pragma omp parallel for schedule(static) if (b.rows * b.columns > kParallelElements)
  for (std::int64_t r = 0; r < b.rows; ++r) {
    if (b.storage == Storage::kBFloat16) {
      dropout_row<bf16>(b, r);
    } else {
      dropout_row<float>(b, r);
    }
  }
}

void activate(const Activate& a) {
  return a.storage == Storage::kBFloat16 ? activate_as<bf16>(a) : activate_as<float>(a);
}

void bias_gradient(const BiasGradient& a) {
  return a.storage == Storage::kBFloat16 ? sum_columns<bf16>(a) : sum_columns<float>(a);
}

std::int64_t bias_gradient_partials(std::int64_t rows, std::int64_t columns) {
  return ceil_div(rows, kSumBlock) * columns;
}

void convert(const Convert& a) {
  if (a.from == Storage::kBFloat16) {
    return a.to == Storage::kBFloat16 ? convert_rows<bf16, bf16>(a) : convert_rows<bf16, float>(a);
  }
  return a.to == Storage::kBFloat16 ? convert_rows<float, bf16>(a) : convert_rows<float, float>(a);
}

void exponential_of(const float* x, float* y, std::int64_t size) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) y[i] = exponential(x[i]);
}

void register_exponential_of(const float* x, float* y, std::int64_t size) {
  exponentials_of(x, 0.f, size, y);
}

}  // namespace weft::cpu::WEFT_ISA

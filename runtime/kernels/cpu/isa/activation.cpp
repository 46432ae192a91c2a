#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/vector.h"

namespace weft::cpu::WEFT_ISA {
namespace {

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
  const std::int64_t columns = a.x.columns;
#pragma omp parallel for schedule(static) if (a.x.rows * columns > kParallelElements)
  for (std::int64_t r = 0; r < a.x.rows; ++r) {
    const S *x = row<S>(a.x, r), *dy = row_or_null<S>(a.dy, r);
    S* y = row<S>(a.y, r);
    if (dy == nullptr) {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) store(y[c], value<curve>(load(x[c])));
    } else {
#pragma omp simd
      for (std::int64_t c = 0; c < columns; ++c) store(y[c], load(dy[c]) * derivative<curve>(load(x[c])));
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

}  // namespace

void activate(const Activate& a) {
  return a.x.storage == Storage::kBFloat16 ? activate_as<bf16>(a) : activate_as<float>(a);
}

void exponential_of(const float* x, float* y, std::int64_t size) {
#pragma omp simd
  for (std::int64_t i = 0; i < size; ++i) y[i] = exponential(x[i]);
}

void register_exponential_of(const float* x, float* y, std::int64_t size) {
  exponentials_of(x, 0.f, size, y);
}

}  // namespace weft::cpu::WEFT_ISA

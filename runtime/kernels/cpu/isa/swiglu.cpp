#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"

namespace weft::cpu::WEFT_ISA {
namespace {

inline float sigmoid(float x) {
  return 1.f / (1.f + exponential(-x));
}

template <class S>
void forward_row(const SwigluForward& a, std::int64_t r) {
  const std::int64_t columns = a.h.columns;
  const S *gate = row<S>(a.gate_up, r), *up = gate + columns;
  S* h = row<S>(a.h, r);
  float product[kTile];
  for (std::int64_t begin = 0; begin < columns; begin += kTile) {
    const std::int64_t count = min(kTile, columns - begin);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) {
      const float x = load(gate[begin + c]);
      product[c] = x * sigmoid(x) * load(up[begin + c]);
    }
    drop_tile<float, S>(a.dropout, r, begin, count, product, nullptr, h + begin);
  }
}

template <class S>
void backward_row(const SwigluBackward& a, std::int64_t r) {
  const std::int64_t columns = a.dh.columns;
  const S *gate = row<S>(a.gate_up, r), *up = gate + columns, *dh = row<S>(a.dh, r);
  S *dgate = row<S>(a.dgate_up, r), *dup = dgate + columns;
  float g[kTile];
  for (std::int64_t begin = 0; begin < columns; begin += kTile) {
    const std::int64_t count = min(kTile, columns - begin);
    drop_tile<S, float>(a.dropout, r, begin, count, dh + begin, nullptr, g);
#pragma omp simd
    for (std::int64_t c = 0; c < count; ++c) {
      const float x = load(gate[begin + c]), s = sigmoid(x), u = load(up[begin + c]);
      store(dgate[begin + c], g[c] * u * s * (1.f + x * (1.f - s)));
      store(dup[begin + c], g[c] * x * s);
    }
  }
}

}  // namespace

void swiglu_forward(const SwigluForward& a) {
#pragma omp parallel for schedule(static) if (a.h.rows * a.h.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.h.rows; ++r) {
    if (a.h.storage == Storage::kBFloat16) {
      forward_row<bf16>(a, r);
    } else {
      forward_row<float>(a, r);
    }
  }
}

void swiglu_backward(const SwigluBackward& a) {
#pragma omp parallel for schedule(static) if (a.dh.rows * a.dh.columns > kParallelElements)
  for (std::int64_t r = 0; r < a.dh.rows; ++r) {
    if (a.dh.storage == Storage::kBFloat16) {
      backward_row<bf16>(a, r);
    } else {
      backward_row<float>(a, r);
    }
  }
}

}  // namespace weft::cpu::WEFT_ISA

#include "runtime/kernels/cpu/isa/kernels.h"

// Flat arrays, cut in blocks. The constants of a step are made once, in double, by the caller.
namespace weft::cpu::WEFT_ISA {
namespace {

constexpr std::int64_t kBlock = 4096;

template <class S>
void adam_block(const Adam& a, std::int64_t begin, std::int64_t end) {
  S* value = at<S>(a.value, 0);
  const float coupled = a.decoupled ? 0.f : a.weight_decay;
  const float shrink = a.decoupled ? a.learning_rate * a.weight_decay : 0.f;
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    const float w = a.master[i];
    const float g = a.gradient[i] * a.clip_scale + coupled * w;
    const float m = a.beta1 * a.exp_avg[i] + a.one_minus_beta1 * g;
    const float v = a.beta2 * a.exp_avg_sq[i] + a.one_minus_beta2 * g * g;
    const float update = m / a.correction1 / (__builtin_sqrtf(v / a.correction2) + a.eps);
    const float next = w - shrink * w - a.learning_rate * update;
    a.exp_avg[i] = m;
    a.exp_avg_sq[i] = v;
    a.master[i] = next;
    store(value[i], next);
  }
}

template <class S>
void sgd_block(const Sgd& a, std::int64_t begin, std::int64_t end) {
  S* value = at<S>(a.value, 0);
#pragma omp simd
  for (std::int64_t i = begin; i < end; ++i) {
    const float g = a.gradient[i] * a.clip_scale + a.weight_decay * a.master[i];
    const float m = a.momentum_buffer != nullptr ? a.momentum * a.momentum_buffer[i] + g : g;
    if (a.momentum_buffer != nullptr) a.momentum_buffer[i] = m;
    const float next = a.master[i] - a.learning_rate * (a.nesterov ? g + a.momentum * m : m);
    a.master[i] = next;
    store(value[i], next);
  }
}

/// Calls update(block, begin, end) for every block of `size` elements, cut over the threads.
template <class Update>
void for_each_block(std::int64_t size, const Update& update) {
  const std::int64_t blocks = ceil_div(size, kBlock);
#pragma omp parallel for schedule(static) if (size > kParallelElements)
  for (std::int64_t block = 0; block < blocks; ++block) update(block, block * kBlock, min(size, (block + 1) * kBlock));
}

}  // namespace

void adam(const Adam& a) {
  for_each_block(a.size, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    a.storage == Storage::kBFloat16 ? adam_block<bf16>(a, begin, end) : adam_block<float>(a, begin, end);
  });
}

void sgd(const Sgd& a) {
  for_each_block(a.size, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
    a.storage == Storage::kBFloat16 ? sgd_block<bf16>(a, begin, end) : sgd_block<float>(a, begin, end);
  });
}

void ema(const Ema& a) {
  for_each_block(a.size, [&](std::int64_t, std::int64_t begin, std::int64_t end) {
#pragma omp simd
    for (std::int64_t i = begin; i < end; ++i) a.average[i] = a.decay * a.average[i] + a.one_minus_decay * a.master[i];
  });
}

std::int64_t sum_of_squares_partials(std::int64_t size) {
  return ceil_div(size, kBlock);
}

void sum_of_squares(const float* x, std::int64_t size, double* sum, double* partials) {
  for_each_block(size, [&](std::int64_t block, std::int64_t begin, std::int64_t end) {
    double squares = 0;
#pragma omp simd reduction(+ : squares)
    for (std::int64_t i = begin; i < end; ++i) squares += static_cast<double>(x[i]) * static_cast<double>(x[i]);
    partials[block] = squares;
  });
  for (std::int64_t block = 0; block < sum_of_squares_partials(size); ++block) *sum += partials[block];
}

}  // namespace weft::cpu::WEFT_ISA

#pragma once
#include "runtime/kernels/cpu/isa/isa.h"
#include "runtime/kernels/cpu/isa/lanes.h"

namespace weft::cpu::WEFT_ISA {

// Below this many elements a second thread costs more than it brings.
inline constexpr std::int64_t kParallelElements = 8192;

template <class S>
inline S* row(const Matrix& matrix, std::int64_t r) {
  return at<S>(matrix.data, r * matrix.stride);
}
/// Null where the matrix is absent.
template <class S>
inline S* row_or_null(const Matrix& matrix, std::int64_t r) {
  return matrix.data == nullptr ? nullptr : row<S>(matrix, r);
}

void norm_forward(const NormForward&);
void norm_backward(const NormBackward&);
std::int64_t norm_backward_partials(std::int64_t rows, std::int64_t columns);
void dropout(const DropoutApply&);
void activate(const Activate&);
void swiglu_forward(const SwigluForward&);
void swiglu_backward(const SwigluBackward&);
void bias_gradient(const BiasGradient&);
std::int64_t bias_gradient_partials(std::int64_t rows, std::int64_t columns);
void embedding_forward(const EmbeddingForward&);
void embedding_backward(const EmbeddingBackward&);
void attention_forward(const Attention&);
void attention_backward(const Attention&);
std::int64_t attention_floats(const Attention&);
void softmax_statistics(const RowStatistics&);
void cross_entropy(const CrossEntropy&);
void sum_of_squares(const float* x, std::int64_t size, double* sum, double* partials);
std::int64_t sum_of_squares_partials(std::int64_t size);
void adam(const Adam&);
void sgd(const Sgd&);
void ema(const Ema&);
void convert(const Convert&);
void gemm(const Gemm&);
std::int64_t gemm_floats(const Gemm&);
void pack_gemm(const PackGemm&);
std::int64_t pack_gemm_floats(std::int64_t n, std::int64_t k);
void exponential_of(const float* x, float* y, std::int64_t size);
void register_exponential_of(const float* x, float* y, std::int64_t size);

}  // namespace weft::cpu::WEFT_ISA

#include "runtime/kernels/cpu/isa/kernels.h"

namespace weft::cpu::WEFT_ISA {

const Isa isa = {
    .norm_forward = norm_forward,
    .norm_backward = norm_backward,
    .norm_backward_partials = norm_backward_partials,
    .dropout = dropout,
    .activate = activate,
    .swiglu_forward = swiglu_forward,
    .swiglu_backward = swiglu_backward,
    .bias_gradient = bias_gradient,
    .bias_gradient_partials = bias_gradient_partials,
    .embedding_forward = embedding_forward,
    .embedding_backward = embedding_backward,
    .attention_forward = attention_forward,
    .attention_backward = attention_backward,
    .attention_floats = attention_floats,
    .softmax_statistics = softmax_statistics,
    .cross_entropy = cross_entropy,
    .sum_of_squares = sum_of_squares,
    .sum_of_squares_partials = sum_of_squares_partials,
    .adam = adam,
    .sgd = sgd,
    .ema = ema,
    .convert = convert,
    .gemm = gemm,
    .gemm_floats = gemm_floats,
    .pack_gemm = pack_gemm,
    .pack_gemm_floats = pack_gemm_floats,
    .exponential = exponential_of,
    .register_exponential = register_exponential_of,
};

}  // namespace weft::cpu::WEFT_ISA

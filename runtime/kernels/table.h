#pragma once
#include <cstdint>
#include <string>

#include "runtime/kernels/activation.h"
#include "runtime/kernels/attention.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/dropout.h"
#include "runtime/kernels/embedding.h"
#include "runtime/kernels/layer_norm.h"
#include "runtime/kernels/matmul.h"
#include "runtime/kernels/memory_ops.h"
#include "runtime/kernels/optimizer.h"

namespace weft {

/// One function a kernel, the dtype told apart inside. Arguments are checked before (runtime/kernels/<op>.cpp): tensors are contiguous but
/// where the op's header says that rows may be strided; any number of rows may be 0. A `_workspace` entry gives the bytes its kernel needs:
/// a bound that never falls as the row count of the arguments grows.
struct KernelTable {
  std::string name;  // reference, cpu (avx512), ...; recorded in checkpoints, since another table may give other last bits

  void (*matmul)(Context&, const kernels::Matmul&);
  std::int64_t (*matmul_workspace)(const kernels::Matmul&);
  std::int64_t (*packed_matmul_bytes)(const Tensor& b, bool transpose_b);  // 0: no such form
  void (*pack_matmul)(Context&, const kernels::PackMatmul&);
  void (*bias_gradient)(Context&, const kernels::BiasGradient&);
  std::int64_t (*bias_gradient_workspace)(const kernels::BiasGradient&);
  void (*activation_backward)(Context&, const kernels::ActivationBackward&);
  void (*dropout)(Context&, const kernels::DropoutApply&);
  void (*layer_norm_forward)(Context&, const kernels::LayerNormForward&);
  void (*layer_norm_backward)(Context&, const kernels::LayerNormBackward&);
  std::int64_t (*layer_norm_backward_workspace)(const kernels::LayerNormBackward&);
  void (*embedding_forward)(Context&, const kernels::EmbeddingForward&);
  void (*embedding_backward)(Context&, const kernels::EmbeddingBackward&);
  void (*attention_forward)(Context&, const kernels::AttentionForward&);
  std::int64_t (*attention_forward_workspace)(const kernels::AttentionForward&);
  void (*attention_backward)(Context&, const kernels::AttentionBackward&);
  std::int64_t (*attention_backward_workspace)(const kernels::AttentionBackward&);
  void (*cross_entropy)(Context&, const kernels::CrossEntropy&);
  std::int64_t (*cross_entropy_workspace)(const kernels::CrossEntropy&);
  void (*sum_of_squares)(Context&, const kernels::SumOfSquares&);
  std::int64_t (*sum_of_squares_workspace)(const kernels::SumOfSquares&);
  void (*finish_norm)(Context&, const kernels::FinishNorm&);
  void (*adam_update)(Context&, const kernels::AdamUpdate&);
  void (*sgd_update)(Context&, const kernels::SgdUpdate&);
  void (*ema_update)(Context&, const kernels::EmaUpdate&);
  void (*convert)(Context&, const kernels::Convert&);
  void (*fill_zero)(Context&, const kernels::FillZero&);
  void (*exchange)(Context&, const kernels::Exchange&);
  void (*accumulate)(Context&, const kernels::Accumulate&);
  void (*copy_rows)(Context&, const kernels::CopyRows&);
};

/// The obvious implementation that all others are compared with: float, double, and bfloat16 storage computed in float.
const KernelTable& reference_kernels();

/// What a processor can do, each set with all before it. AMX multiplies bf16 at 5 to 7 times the rate of fp32.
enum class InstructionSet { kBaseline, kAvx2, kAvx512, kAmx };

/// Fast fp32 and bf16 kernels of an instruction set; what it does not speed up, and double, is the reference.
const KernelTable& cpu_kernels(InstructionSet);

}  // namespace weft

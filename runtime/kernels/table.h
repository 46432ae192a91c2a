#pragma once
#include <cstdint>
#include <string>

#include "runtime/kernels/activation.h"
#include "runtime/kernels/attention.h"
#include "runtime/kernels/bias_gradient.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/dropout.h"
#include "runtime/kernels/embedding.h"
#include "runtime/kernels/layer_norm.h"
#include "runtime/kernels/matmul.h"
#include "runtime/kernels/memory_ops.h"
#include "runtime/kernels/optimizer.h"

namespace weft {

/// One operation on one device. Its arguments were checked before (runtime/kernels/<op>.cpp): tensors are contiguous but where the op's
/// header says that rows may be strided; any number of rows may be 0.
template <class Arguments>
struct Kernel {
  void (*run)(Context&, const Arguments&);
  /// The bytes of workspace that `run` needs: a bound that never falls as the row count of the arguments grows. Null: none.
  std::int64_t (*workspace)(const Arguments&) = nullptr;

  std::int64_t workspace_bytes(const Arguments& a) const { return workspace == nullptr ? 0 : workspace(a); }
};

/// The operations of a device, the dtype told apart inside each.
struct KernelTable {
  std::string name;  // reference, cpu (avx512), ...; recorded in checkpoints, since another table may give other last bits

  Kernel<kernels::Matmul> matmul;
  std::int64_t (*packed_matmul_bytes)(const Tensor& b, bool transpose_b);  // 0: no such form
  Kernel<kernels::PackMatmul> pack_matmul;
  Kernel<kernels::BiasGradient> bias_gradient;
  Kernel<kernels::ActivationBackward> activation_backward;
  Kernel<kernels::DropoutApply> dropout;
  Kernel<kernels::LayerNormForward> layer_norm_forward;
  Kernel<kernels::LayerNormBackward> layer_norm_backward;
  Kernel<kernels::EmbeddingForward> embedding_forward;
  Kernel<kernels::EmbeddingBackward> embedding_backward;
  Kernel<kernels::AttentionForward> attention_forward;
  Kernel<kernels::AttentionBackward> attention_backward;
  Kernel<kernels::RowStatistics> softmax_statistics;
  Kernel<kernels::MergeStatistics> merge_statistics;
  Kernel<kernels::CrossEntropy> cross_entropy;
  Kernel<kernels::SumOfSquares> sum_of_squares;
  Kernel<kernels::FinishNorm> finish_norm;
  Kernel<kernels::AdamUpdate> adam_update;
  Kernel<kernels::SgdUpdate> sgd_update;
  Kernel<kernels::EmaUpdate> ema_update;
  Kernel<kernels::Convert> convert;
  Kernel<kernels::FillZero> fill_zero;
  Kernel<kernels::Exchange> exchange;
  Kernel<kernels::Accumulate> accumulate;
  Kernel<kernels::CopyRows> copy_rows;
};

/// The obvious implementation that all others are compared with: float, double, and bfloat16 storage computed in float.
const KernelTable& reference_kernels();

/// What a processor can do, each set with all before it. AMX multiplies bf16 at 5 to 7 times the rate of fp32.
enum class InstructionSet { kBaseline, kAvx2, kAvx512, kAmx };

/// Fast fp32 and bf16 kernels of an instruction set; what it does not speed up, and double, is the reference.
const KernelTable& cpu_kernels(InstructionSet);

}  // namespace weft

#pragma once
#include <cstdint>
#include <string>

#include "runtime/kernels/activation.h"
#include "runtime/kernels/attention.h"
#include "runtime/kernels/bias_gradient.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/dropout.h"
#include "runtime/kernels/embedding.h"
#include "runtime/kernels/matmul.h"
#include "runtime/kernels/memory_ops.h"
#include "runtime/kernels/norm.h"
#include "runtime/kernels/optimizer.h"
#include "runtime/kernels/swiglu.h"

namespace weft {

/// The obvious code that all other kernels are compared with, in reference/<op>.cpp: float, double, and bfloat16 storage computed in float.
namespace kernels::reference {
void matmul(Context&, const Matmul&);
std::int64_t packed_matmul_bytes(const Tensor& b, bool transpose_b);
void pack_matmul(Context&, const PackMatmul&);
void bias_gradient(Context&, const BiasGradient&);
void activation_backward(Context&, const ActivationBackward&);
void swiglu_forward(Context&, const SwigluForward&);
void swiglu_backward(Context&, const SwigluBackward&);
void dropout(Context&, const DropoutApply&);
void norm_forward(Context&, const NormForward&);
void norm_backward(Context&, const NormBackward&);
void embedding_forward(Context&, const EmbeddingForward&);
void embedding_backward(Context&, const EmbeddingBackward&);
void attention_forward(Context&, const AttentionForward&);
std::int64_t attention_forward_workspace(const AttentionForward&);
void attention_backward(Context&, const AttentionBackward&);
std::int64_t attention_backward_workspace(const AttentionBackward&);
void softmax_statistics(Context&, const RowStatistics&);
void merge_statistics(Context&, const MergeStatistics&);
void cross_entropy(Context&, const CrossEntropy&);
void sum_of_squares(Context&, const SumOfSquares&);
void finish_norm(Context&, const FinishNorm&);
void adam_update(Context&, const AdamUpdate&);
void sgd_update(Context&, const SgdUpdate&);
void ema_update(Context&, const EmaUpdate&);
void convert(Context&, const Convert&);
void fill_zero(Context&, const FillZero&);
void exchange(Context&, const Exchange&);
void accumulate(Context&, const Accumulate&);
void copy_rows(Context&, const CopyRows&);
}  // namespace kernels::reference

/// One operation on one device. Its arguments were checked before (runtime/kernels/<op>.cpp): tensors are contiguous but where the op's
/// header says that rows may be strided; any number of rows may be 0.
template <class Arguments>
struct Kernel {
  void (*run)(Context&, const Arguments&);
  /// The bytes of workspace that `run` needs: a bound that never falls as the row count of the arguments grows. Null: none.
  std::int64_t (*workspace)(const Arguments&) = nullptr;

  std::int64_t workspace_bytes(const Arguments& a) const { return workspace == nullptr ? 0 : workspace(a); }
};

/// The operations of a device, the dtype told apart inside each. It starts as the reference; a device puts its own kernels into it.
struct KernelTable {
  std::string name = "reference";  // cpu (avx512), ...; recorded in checkpoints, since another table may give other last bits

  Kernel<kernels::Matmul> matmul{kernels::reference::matmul};
  std::int64_t (*packed_matmul_bytes)(const Tensor& b, bool transpose_b) = kernels::reference::packed_matmul_bytes;  // 0: no such form
  Kernel<kernels::PackMatmul> pack_matmul{kernels::reference::pack_matmul};
  Kernel<kernels::BiasGradient> bias_gradient{kernels::reference::bias_gradient};
  Kernel<kernels::ActivationBackward> activation_backward{kernels::reference::activation_backward};
  Kernel<kernels::SwigluForward> swiglu_forward{kernels::reference::swiglu_forward};
  Kernel<kernels::SwigluBackward> swiglu_backward{kernels::reference::swiglu_backward};
  Kernel<kernels::DropoutApply> dropout{kernels::reference::dropout};
  Kernel<kernels::NormForward> norm_forward{kernels::reference::norm_forward};
  Kernel<kernels::NormBackward> norm_backward{kernels::reference::norm_backward};
  Kernel<kernels::EmbeddingForward> embedding_forward{kernels::reference::embedding_forward};
  Kernel<kernels::EmbeddingBackward> embedding_backward{kernels::reference::embedding_backward};
  Kernel<kernels::AttentionForward> attention_forward{kernels::reference::attention_forward,
                                                      kernels::reference::attention_forward_workspace};
  Kernel<kernels::AttentionBackward> attention_backward{kernels::reference::attention_backward,
                                                        kernels::reference::attention_backward_workspace};
  Kernel<kernels::RowStatistics> softmax_statistics{kernels::reference::softmax_statistics};
  Kernel<kernels::MergeStatistics> merge_statistics{kernels::reference::merge_statistics};
  Kernel<kernels::CrossEntropy> cross_entropy{kernels::reference::cross_entropy};
  Kernel<kernels::SumOfSquares> sum_of_squares{kernels::reference::sum_of_squares};
  Kernel<kernels::FinishNorm> finish_norm{kernels::reference::finish_norm};
  Kernel<kernels::AdamUpdate> adam_update{kernels::reference::adam_update};
  Kernel<kernels::SgdUpdate> sgd_update{kernels::reference::sgd_update};
  Kernel<kernels::EmaUpdate> ema_update{kernels::reference::ema_update};
  Kernel<kernels::Convert> convert{kernels::reference::convert};
  Kernel<kernels::FillZero> fill_zero{kernels::reference::fill_zero};
  Kernel<kernels::Exchange> exchange{kernels::reference::exchange};
  Kernel<kernels::Accumulate> accumulate{kernels::reference::accumulate};
  Kernel<kernels::CopyRows> copy_rows{kernels::reference::copy_rows};
};

inline const KernelTable& reference_kernels() {
  static const KernelTable table;
  return table;
}

/// What a processor can do, each set with all before it. AMX multiplies bf16 at 5 to 7 times the rate of fp32.
enum class InstructionSet { kBaseline, kAvx2, kAvx512, kAmx };

/// Fast fp32 and bf16 kernels of an instruction set; what it does not speed up, and double, is the reference.
const KernelTable& cpu_kernels(InstructionSet);

}  // namespace weft

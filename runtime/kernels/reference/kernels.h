#pragma once
#include "runtime/kernels/table.h"

// The entries of reference_kernels(), one file an op.
namespace weft::kernels::reference {

void matmul(Context&, const Matmul&);
std::int64_t packed_matmul_bytes(const Tensor& b, bool transpose_b);
void pack_matmul(Context&, const PackMatmul&);
void bias_gradient(Context&, const BiasGradient&);
void activation_backward(Context&, const ActivationBackward&);
void dropout(Context&, const DropoutApply&);
void layer_norm_forward(Context&, const LayerNormForward&);
void layer_norm_backward(Context&, const LayerNormBackward&);
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

}  // namespace weft::kernels::reference

#include "runtime/kernels/table.h"

#include "runtime/kernels/reference/kernels.h"

namespace weft {

const KernelTable& reference_kernels() {
  namespace r = kernels::reference;
  static const KernelTable table{
      .name = "reference",
      .matmul = {r::matmul},
      .packed_matmul_bytes = r::packed_matmul_bytes,
      .pack_matmul = {r::pack_matmul},
      .bias_gradient = {r::bias_gradient},
      .activation_backward = {r::activation_backward},
      .dropout = {r::dropout},
      .layer_norm_forward = {r::layer_norm_forward},
      .layer_norm_backward = {r::layer_norm_backward},
      .embedding_forward = {r::embedding_forward},
      .embedding_backward = {r::embedding_backward},
      .attention_forward = {r::attention_forward, r::attention_forward_workspace},
      .attention_backward = {r::attention_backward, r::attention_backward_workspace},
      .softmax_statistics = {r::softmax_statistics},
      .merge_statistics = {r::merge_statistics},
      .cross_entropy = {r::cross_entropy},
      .sum_of_squares = {r::sum_of_squares},
      .finish_norm = {r::finish_norm},
      .adam_update = {r::adam_update},
      .sgd_update = {r::sgd_update},
      .ema_update = {r::ema_update},
      .convert = {r::convert},
      .fill_zero = {r::fill_zero},
      .exchange = {r::exchange},
      .accumulate = {r::accumulate},
      .copy_rows = {r::copy_rows},
  };
  return table;
}

}  // namespace weft

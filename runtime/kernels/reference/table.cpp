#include "runtime/kernels/table.h"

#include "runtime/kernels/reference/kernels.h"

namespace weft {
namespace {

/// Of kernels that need no memory beside their arguments.
template <class Arguments>
std::int64_t no_workspace(const Arguments&) {
  return 0;
}

}  // namespace

const KernelTable& reference_kernels() {
  namespace k = kernels;
  namespace r = kernels::reference;
  static const KernelTable table{
      .name = "reference",
      .matmul = r::matmul,
      .matmul_workspace = no_workspace<k::Matmul>,
      .packed_matmul_bytes = r::packed_matmul_bytes,
      .pack_matmul = r::pack_matmul,
      .bias_gradient = r::bias_gradient,
      .bias_gradient_workspace = no_workspace<k::BiasGradient>,
      .activation_backward = r::activation_backward,
      .dropout = r::dropout,
      .layer_norm_forward = r::layer_norm_forward,
      .layer_norm_backward = r::layer_norm_backward,
      .layer_norm_backward_workspace = no_workspace<k::LayerNormBackward>,
      .embedding_forward = r::embedding_forward,
      .embedding_backward = r::embedding_backward,
      .attention_forward = r::attention_forward,
      .attention_forward_workspace = r::attention_forward_workspace,
      .attention_backward = r::attention_backward,
      .attention_backward_workspace = r::attention_backward_workspace,
      .cross_entropy = r::cross_entropy,
      .cross_entropy_workspace = no_workspace<k::CrossEntropy>,
      .sum_of_squares = r::sum_of_squares,
      .sum_of_squares_workspace = no_workspace<k::SumOfSquares>,
      .finish_norm = r::finish_norm,
      .adam_update = r::adam_update,
      .sgd_update = r::sgd_update,
      .ema_update = r::ema_update,
      .convert = r::convert,
      .fill_zero = r::fill_zero,
      .exchange = r::exchange,
      .accumulate = r::accumulate,
      .copy_rows = r::copy_rows,
  };
  return table;
}

}  // namespace weft

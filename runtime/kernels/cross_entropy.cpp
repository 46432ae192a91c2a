#include "runtime/kernels/cross_entropy.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

void require_statistics(const char* kernel, const Tensor& statistics, std::int64_t rows) {
  require_contiguous(kernel, "statistics", statistics, {rows, SoftmaxStatistics::kFields}, DType::kFloat64);
}

/// Returns the number of rows.
std::int64_t require_rows(const char* kernel, const Tensor& logits, const Tensor& labels) {
  require_dims(kernel, "logits", logits, 2, kSums);
  require_contiguous(kernel, "logits", logits, logits.shape, logits.dtype);
  require(kernel, "labels", labels, {logits.size(0)}, DType::kInt32);
  return logits.size(0);
}

}  // namespace

void softmax_statistics(Context& ctx, const RowStatistics& a) {
  constexpr auto kName = "softmax_statistics";
  require_statistics(kName, a.statistics, require_rows(kName, a.logits, a.labels));
  launch(ctx, &KernelTable::softmax_statistics, a);
}

void merge_statistics(Context& ctx, const MergeStatistics& a) {
  constexpr auto kName = "merge_statistics";
  require_dims(kName, "statistics", a.statistics, 2, {DType::kFloat64});
  const std::int64_t rows = a.statistics.size(0);
  require_statistics(kName, a.statistics, rows);
  require_dims(kName, "pieces", a.pieces, 2, {DType::kFloat64});
  require_statistics(kName, a.pieces, a.pieces.size(0));
  require_that(rows == 0 || a.pieces.size(0) % rows == 0, kName, "the pieces have unequal rows");
  launch(ctx, &KernelTable::merge_statistics, a);
}

void cross_entropy(Context& ctx, CrossEntropy a) {
  constexpr auto kName = "cross_entropy";
  const std::int64_t rows = require_rows(kName, a.logits, a.labels);
  require(kName, "weights", a.weights, {rows}, DType::kFloat32);
  require_that(a.label_smoothing >= 0 && a.label_smoothing < 1, kName, "label_smoothing is outside [0, 1)");
  require(kName, "sums", a.sums, {LossSums::kFields}, DType::kFloat64);
  if (a.dlogits.defined()) {
    require_contiguous(kName, "dlogits", a.dlogits, a.logits.shape, a.dlogits.dtype);
    require_that(sum_type(a.dlogits.dtype) == a.logits.dtype, kName, "logits are not in the sum type of dlogits");
  }
  if (a.piece.vocab_size == 0) a.piece.vocab_size = a.logits.size(1);
  if (a.statistics.defined()) {
    require_statistics(kName, a.statistics, rows);
  } else {
    require_that(a.piece.vocab_size == a.logits.size(1), kName, "a piece of the vocabulary needs the statistics of whole rows");
  }
  launch_with_workspace(ctx, &KernelTable::cross_entropy, "cross_entropy workspace", a);
}

}  // namespace weft::kernels

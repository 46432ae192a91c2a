#include "runtime/kernels/cross_entropy.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {

void cross_entropy(Context& ctx, CrossEntropy a) {
  constexpr auto kName = "cross_entropy";
  require_dims(kName, "logits", a.logits, 2, kSums);
  require_contiguous(kName, "logits", a.logits, a.logits.shape, a.logits.dtype);
  const std::int64_t rows = a.logits.size(0);
  require(kName, "labels", a.labels, {rows}, DType::kInt32);
  require(kName, "weights", a.weights, {rows}, DType::kFloat32);
  require_that(a.label_smoothing >= 0 && a.label_smoothing < 1, kName, "label_smoothing is outside [0, 1)");
  require(kName, "sums", a.sums, {LossSums::kFields}, DType::kFloat64);
  if (a.dlogits.defined()) {
    require_contiguous(kName, "dlogits", a.dlogits, a.logits.shape, a.dlogits.dtype);
    require_that(sum_type(a.dlogits.dtype) == a.logits.dtype, kName, "logits are not in the sum type of dlogits");
  }
  launch_with_workspace(ctx, &KernelTable::cross_entropy, "cross_entropy workspace", a);
}

}  // namespace weft::kernels

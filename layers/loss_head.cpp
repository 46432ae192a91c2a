#include "layers/loss_head.h"

#include <algorithm>

#include "layers/gradient.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/matmul.h"

namespace weft {

LossHead::LossHead(Parameter& weight, double label_smoothing) : weight_(&weight), label_smoothing_(label_smoothing) {
  weight.multiplied = true;
}

void LossHead::forward_backward(Context& ctx, const Input& in, Tensor dx, Tensor sums) const {
  const StepArena::Scope scope(ctx.memory);
  const DType dtype = in.x.dtype;
  const std::int64_t rows = in.x.size(0);
  const Shape chunk{std::min(rows, kChunkRows), vocab_size()};
  const Tensor all_logits = ctx.memory.scratch("logits", chunk, sum_type(dtype));
  // With one dtype the gradient takes the place of the logits.
  const Tensor all_dlogits = dtype == sum_type(dtype) ? all_logits : ctx.memory.scratch("d logits", chunk, dtype);
  for (std::int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const std::int64_t count = std::min(kChunkRows, rows - begin);
    const Tensor x = in.x.rows(begin, count), chunk_logits = all_logits.rows(0, count), dlogits = all_dlogits.rows(0, count);
    logits(ctx, x, chunk_logits);
    kernels::cross_entropy(ctx, {.logits = chunk_logits,
                                 .labels = in.labels.rows(begin, count),
                                 .weights = in.weights.rows(begin, count),
                                 .label_smoothing = label_smoothing_,
                                 .dlogits = dlogits,
                                 .sums = sums});
    add_weight_gradient(ctx, dlogits, x, *weight_);
    kernels::matmul(ctx, {.a = dlogits, .b = weight_->value, .y = dx.rows(begin, count)});
  }
}

void LossHead::forward(Context& ctx, const Input& in, Tensor sums) const {
  const StepArena::Scope scope(ctx.memory);
  const std::int64_t rows = in.x.size(0);
  const Tensor all_logits = ctx.memory.scratch("logits", {std::min(rows, kChunkRows), vocab_size()}, sum_type(in.x.dtype));
  for (std::int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const std::int64_t count = std::min(kChunkRows, rows - begin);
    const Tensor chunk_logits = all_logits.rows(0, count);
    logits(ctx, in.x.rows(begin, count), chunk_logits);
    kernels::cross_entropy(ctx, {.logits = chunk_logits,
                                 .labels = in.labels.rows(begin, count),
                                 .weights = in.weights.rows(begin, count),
                                 .label_smoothing = label_smoothing_,
                                 .sums = sums});
  }
}

void LossHead::logits(Context& ctx, Tensor x, Tensor logits) const {
  kernels::matmul(ctx, {.a = x, .b = weight_->value, .transpose_b = true, .packed_b = weight_->packed, .y = logits});
}

}  // namespace weft

#include "layers/loss_head.h"

#include <algorithm>

#include "layers/gradient.h"
#include "runtime/kernels/cross_entropy.h"
#include "runtime/kernels/matmul.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {
namespace {

LossHead::Input rows_of(const LossHead::Input& in, std::int64_t begin) {
  const std::int64_t count = std::min(LossHead::kChunkRows, in.x.size(0) - begin);
  return {in.x.rows(begin, count), in.labels.rows(begin, count), in.weights.rows(begin, count)};
}

}  // namespace

LossHead::LossHead(Parameter& weight, double label_smoothing, TensorParallel tensor_parallel)
    : weight_(&weight), piece_(piece_of_vocabulary(weight)), label_smoothing_(label_smoothing), tensor_parallel_(tensor_parallel) {
  weight.multiplied = true;
}

void LossHead::forward_backward(Context& ctx, const Input& in, Tensor dx, Tensor sums) const {
  const StepArena::Scope scope(ctx.memory);
  const DType dtype = in.x.dtype;
  const std::int64_t rows = in.x.size(0);
  const Shape chunk{std::min(rows, kChunkRows), columns()};
  const Tensor all_logits = ctx.memory.scratch("logits", chunk, sum_type(dtype));
  // With one dtype the gradient takes the place of the logits.
  const Tensor all_dlogits = dtype == sum_type(dtype) ? all_logits : ctx.memory.scratch("d logits", chunk, dtype);
  for (std::int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const Input part = rows_of(in, begin);
    const std::int64_t count = part.x.size(0);
    const Tensor dlogits = all_dlogits.rows(0, count);
    cross_entropy(ctx, {part, all_logits.rows(0, count), dlogits}, sums);
    add_weight_gradient(ctx, dlogits, part.x, *weight_);
    kernels::matmul(ctx, {.a = dlogits, .b = weight_->value, .y = dx.rows(begin, count)});
  }
  tensor_parallel_.enter_backward(ctx, dx);
}

void LossHead::forward(Context& ctx, const Input& in, Tensor sums) const {
  const StepArena::Scope scope(ctx.memory);
  const std::int64_t rows = in.x.size(0);
  const Tensor all_logits = ctx.memory.scratch("logits", {std::min(rows, kChunkRows), columns()}, sum_type(in.x.dtype));
  for (std::int64_t begin = 0; begin < rows; begin += kChunkRows) {
    const Input part = rows_of(in, begin);
    cross_entropy(ctx, {part, all_logits.rows(0, part.x.size(0)), {}}, sums);
  }
}

void LossHead::cross_entropy(Context& ctx, const Chunk& chunk, Tensor sums) const {
  const StepArena::Scope scope(ctx.memory);
  logits_of_piece(ctx, chunk.rows.x, chunk.logits);
  kernels::cross_entropy(ctx, {.logits = chunk.logits,
                               .labels = chunk.rows.labels,
                               .weights = chunk.rows.weights,
                               .label_smoothing = label_smoothing_,
                               .piece = piece_,
                               .statistics = tensor_parallel_.size() > 1 ? whole_statistics(ctx, chunk) : Tensor{},
                               .dlogits = chunk.dlogits,
                               .sums = sums});
}

/// The softmax statistics of whole rows, from those of all ranks, in scratch.
Tensor LossHead::whole_statistics(Context& ctx, const Chunk& chunk) const {
  const Shape shape{chunk.logits.size(0), SoftmaxStatistics::kFields};
  const Tensor own = ctx.memory.scratch("softmax statistics", shape, DType::kFloat64);
  const Tensor all = ctx.memory.scratch("softmax statistics", {shape[0] * tensor_parallel_.size(), shape[1]}, DType::kFloat64);
  kernels::softmax_statistics(ctx, {.logits = chunk.logits, .labels = chunk.rows.labels, .piece = piece_, .statistics = own});
  tensor_parallel_.all_gather(ctx, own, all);
  kernels::merge_statistics(ctx, {.pieces = all, .statistics = own});
  return own;
}

void LossHead::logits(Context& ctx, Tensor x, Tensor logits) const {
  if (tensor_parallel_.size() == 1) return logits_of_piece(ctx, x, logits);
  // Every rank's piece in a matrix of its own, as wide as the widest; then side by side.
  const StepArena::Scope scope(ctx.memory);
  const std::int64_t rows = x.size(0), ranks = tensor_parallel_.size();
  const auto width = [&](std::int64_t rank) {
    return box_of(weight_->parts[0].shape, tensor_parallel_.vocabulary_cut(static_cast<int>(rank))).size[0];
  };
  const Tensor own = ctx.memory.scratch("logits of a piece", {rows, width(0)}, logits.dtype);
  const Tensor all = ctx.memory.scratch("logits of all pieces", {ranks * rows, width(0)}, logits.dtype);
  logits_of_piece(ctx, x, own.slice(1, 0, columns()));
  tensor_parallel_.all_gather(ctx, own, all);
  for (std::int64_t rank = 0, first = 0; rank < ranks; first += width(rank++)) {
    kernels::convert(ctx, {.x = all.rows(rank * rows, rows).slice(1, 0, width(rank)), .y = logits.slice(1, first, width(rank))});
  }
}

void LossHead::logits_of_piece(Context& ctx, Tensor x, Tensor logits) const {
  kernels::matmul(ctx, {.a = x, .b = weight_->value, .transpose_b = true, .packed_b = weight_->packed, .y = logits});
}

}  // namespace weft

#include "training/validation/validator.h"

#include <algorithm>
#include <cmath>

namespace weft {
namespace {

BatchExtent largest_extent(const std::vector<BatchPart>& parts) {
  BatchExtent largest;
  for (const BatchPart& part : parts) {
    const BatchExtent extent = extent_of(part);
    largest.sequences = std::max(largest.sequences, extent.sequences);
    largest.source_rows = std::max(largest.source_rows, extent.source_rows);
    largest.target_rows = std::max(largest.target_rows, extent.target_rows);
    largest.max_source_length = std::max(largest.max_source_length, extent.max_source_length);
    largest.max_target_length = std::max(largest.max_target_length, extent.max_target_length);
  }
  return largest;
}

}  // namespace

Validator::Validator(Device& device, Communicator& dp, const Dataset& data, std::int64_t micro_batch_rows)
    : device_(device),
      dp_(dp),
      data_(data),
      parts_(parts_in_length_order(data, micro_batch_rows)),
      buffer_(device, largest_extent(parts_)) {}

std::optional<Validator::Result> Validator::run(Context& training_ctx, Model& model, BlockHooks& hooks, Progress& progress,
                                                const std::function<bool()>& stop) {
  Context ctx = training_ctx;
  ctx.training = false;
  LossBuffer losses(device_, ctx.stream);
  const auto rank = static_cast<std::size_t>(dp_.rank()), ranks = static_cast<std::size_t>(dp_.size());
  for (std::size_t first = 0; first < parts_.size(); first += ranks) {
    if (stop()) return std::nullopt;
    if (first + rank >= parts_.size()) break;  // the last round
    ++progress.pass;
    model.forward(ctx, buffer_.load(device_, ctx.stream, data_, parts_[first + rank]), hooks, losses.sums());
    ctx.stream.synchronize();  // the buffer is filled again
  }
  const LossTotals totals = losses.sum_over(dp_, losses.take());
  const double loss = totals.nll / totals.count;
  return Result{.loss = loss, .perplexity = std::exp(loss), .accuracy = totals.correct / totals.count};
}

}  // namespace weft

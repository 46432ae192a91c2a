#include "state/gradient_reducer.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {

GradientReducer::GradientReducer(ParameterStorage& storage, Communicator& dp) : storage_(storage), dp_(dp) {
  const ShardLayout& layout = storage.layout();
  const auto slice = [&](FlatRange range) { return Slice{range, storage.gradients().rows(range.begin, range.end - range.begin)}; };
  if (layout.sharded()) {
    for (const Bucket& bucket : layout.buckets()) slices_.push_back(slice(layout.chunk(bucket)));
  } else {
    slices_.push_back(slice({0, storage.gradients().size(0)}));
  }
  ready_.resize(static_cast<std::size_t>(storage.parameters().num_blocks()));
}

void GradientReducer::begin_update(Context& ctx, int passes) {
  if (passes < 1) fail(fmt::format("an update of {} passes", passes));
  passes_ = passes;
  next_bucket_ = 0;
  std::fill(ready_.begin(), ready_.end(), 0);
  kernels::fill_zero(ctx, {.y = storage_.gradients()});
}

void GradientReducer::ready(Context& ctx, BlockId block) {
  int& times = ready_.at(static_cast<std::size_t>(block));
  if (++times > passes_) fail(fmt::format("block {} is ready {} times in {} passes", block, times, passes_));
  if (times == passes_) reduce_complete_buckets(ctx, block);
}

/// Blocks become ready from the last to the first, on every rank alike, and so do the buckets.
void GradientReducer::reduce_complete_buckets(Context& ctx, BlockId block) {
  const ShardLayout& layout = storage_.layout();
  if (layout.ranks() == 1) return;
  for (; next_bucket_ < layout.buckets().size() && layout.buckets()[next_bucket_].first_block >= block; ++next_bucket_) {
    const Bucket& bucket = layout.buckets()[next_bucket_];
    const Tensor gradient = storage_.gradients().rows(bucket.range.begin, bucket.range.end - bucket.range.begin);
    if (layout.sharded()) {
      const FlatRange chunk = layout.chunk(bucket);
      dp_.reduce_scatter(ctx.stream, gradient, storage_.gradients().rows(chunk.begin, chunk.end - chunk.begin));
    } else {
      dp_.all_reduce(ctx.stream, gradient);
    }
  }
}

void GradientReducer::finish(Context&) {
  for (std::size_t block = 0; block < ready_.size(); ++block) {
    const FlatRange range = storage_.parameters().block(static_cast<BlockId>(block));
    if (range.begin < range.end && ready_[block] != passes_) {
      fail(fmt::format("block {} was ready {} times in {} passes", block, ready_[block], passes_));
    }
  }
}

}  // namespace weft

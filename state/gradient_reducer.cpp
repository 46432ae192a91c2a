#include "state/gradient_reducer.h"

#include <algorithm>

#include <fmt/format.h>

#include "layers/gradient.h"
#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {

GradientReducer::GradientReducer(ParameterStorage& storage, Communicator& dp) : storage_(storage), dp_(dp) {
  const ShardLayout& layout = storage.layout();
  const auto slice = [&](FlatRange range) { return Slice{range, storage.gradients().sum(range)}; };
  if (layout.sharded()) {
    for (const Bucket& bucket : layout.buckets()) slices_.push_back(slice(layout.slice(bucket)));
  } else {
    slices_.push_back(slice({0, storage.parameters().elements()}));
  }
  ready_.resize(static_cast<std::size_t>(storage.parameters().num_blocks()));
}

void GradientReducer::begin_update(int passes) {
  if (passes < 1) fail(fmt::format("an update of {} passes", passes));
  passes_ = passes;
  passes_reduced_ = 0;
  next_bucket_ = 0;
  std::fill(ready_.begin(), ready_.end(), 0);
  for (Parameter& parameter : storage_.parameters().parameters()) parameter.grad_begun = !parameter.trained;
}

void GradientReducer::ready(Context& ctx, BlockId block) {
  int& times = ready_.at(static_cast<std::size_t>(block));
  if (++times > passes_) fail(fmt::format("block {} is ready {} times in {} passes", block, times, passes_));
  complete(ctx, block);
  if (times == passes_ || storage_.gradients().reused()) reduce_complete_buckets(ctx, block);
}

/// What nobody has written is zero, and so is what lies between parameters that are trained: memory that is used again holds gradients of
/// other blocks there.
void GradientReducer::complete(Context& ctx, BlockId block) {
  const bool reused = storage_.gradients().reused();
  const FlatRange range = storage_.parameters().block(block);
  const auto zero = [&](std::int64_t begin, std::int64_t end) {
    if (reused && begin < end) kernels::fill_zero(ctx, {.y = storage_.gradients().working({begin, end})});
  };
  std::int64_t end = range.begin;
  for (Parameter& parameter : storage_.parameters().parameters()) {
    if (!parameter.trained || parameter.block != block) continue;
    gradient_to_add(ctx, parameter);
    parameter.grad_begun = !reused;  // the next pass overwrites it
    zero(end, parameter.offset);
    end = parameter.offset + parameter.shape.elements();
  }
  zero(end, range.end);
}

/// Blocks become ready from the last to the first, on every rank alike, and so do the buckets.
void GradientReducer::reduce_complete_buckets(Context& ctx, BlockId block) {
  const ShardLayout& layout = storage_.layout();
  if (layout.ranks() == 1) return;
  for (; next_bucket_ < layout.buckets().size() && layout.buckets()[next_bucket_].first_block >= block; ++next_bucket_) {
    reduce(ctx, layout.buckets()[next_bucket_]);
  }
  if (next_bucket_ < layout.buckets().size() || !storage_.gradients().reused()) return;
  next_bucket_ = 0;
  ++passes_reduced_;
}

void GradientReducer::reduce(Context& ctx, const Bucket& bucket) {
  const GradientBuffers& gradients = storage_.gradients();
  const Tensor working = gradients.working(bucket.range);
  if (!storage_.layout().sharded()) return dp_.all_reduce(ctx.stream, working);
  const FlatRange slice = storage_.layout().slice(bucket);
  const bool adds = passes_reduced_ > 0;
  const Tensor of_pass = adds ? gradients.working(slice) : gradients.sum(slice);
  dp_.reduce_scatter(ctx.stream, working, of_pass);
  if (adds) kernels::accumulate(ctx, {.x = of_pass, .y = gradients.sum(slice)});
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

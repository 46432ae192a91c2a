#include "state/gradient_reducer.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {

GradientReducer::GradientReducer(ParameterStorage& storage, Communicator& dp, const ParallelConfig& config) : storage_(storage) {
  if (config.zero_stage < 0 || config.zero_stage > 2) {
    fail_input(fmt::format("parallel.zero_stage: {}\n  expected  0, 1 or 2 (3 is not supported yet)", config.zero_stage));
  }
  if (dp.size() > 1) fail_input(fmt::format("parallel.data: {} is not supported yet\n  expected  1", dp.size()));
  slices_ = {{{0, storage.gradients().size(0)}, storage.gradients()}};
  ready_.resize(static_cast<std::size_t>(storage.parameters().num_blocks()));
}

void GradientReducer::begin_update(Context& ctx, int passes) {
  if (passes < 1) fail(fmt::format("an update of {} passes", passes));
  passes_ = passes;
  std::fill(ready_.begin(), ready_.end(), 0);
  kernels::fill_zero(ctx, {.y = storage_.gradients()});
}

void GradientReducer::ready(Context&, BlockId block) {
  int& times = ready_.at(static_cast<std::size_t>(block));
  if (++times > passes_) fail(fmt::format("block {} is ready {} times in {} passes", block, times, passes_));
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

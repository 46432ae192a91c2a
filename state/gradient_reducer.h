#pragma once
#include <span>
#include <vector>

#include "layers/block_hooks.h"
#include "parallel/communicator.h"
#include "state/parameter_storage.h"
#include "state/shard_layout.h"

namespace weft {

/// Hands out gradients and gives the sum of an update, over its passes and over the data-parallel ranks, as the slices that this rank
/// updates.
///
///   | zero_stage | ready, earlier passes                       | ready, last pass               | slices             |
///   | 0          | -                                           | all_reduce of its buckets      | everything         |
///   | 1          | -                                           | reduce_scatter of its buckets  | this rank's slices |
///   | 2          | reduce_scatter, added to the slices so far  | the same                       | this rank's slices |
///
/// Working gradients are marked as not begun when an update begins (with zero_stage 2: a pass), so that nobody has to zero all of them: the
/// first to write one overwrites it (layers/gradient.h), and what nobody has written when its block is ready becomes zero. With stage 2
/// their memory serves the next group of blocks as soon as a group is reduced. So stage 2 adds over ranks before passes, and has the bits
/// of the others when an update is one pass. With one data-parallel rank all stages are the same and nothing is sent.
class GradientReducer : public BlockHooks {
 public:
  GradientReducer(ParameterStorage&, Communicator& dp);

  /// `passes` is the same on every rank, at least 1.
  void begin_update(int passes);
  void ready(Context&, BlockId) override;
  /// After the last pass: from here on ctx.stream sees the sums. Fails when a block was not ready once in every pass.
  void finish(Context&);
  std::span<const Slice> slices() const { return slices_; }

 private:
  void complete(Context&, BlockId block);
  void reduce_complete_buckets(Context&, BlockId block);
  void reduce(Context&, const Bucket&);

  ParameterStorage& storage_;
  Communicator& dp_;
  std::vector<Slice> slices_;
  std::vector<int> ready_;  // times, by block
  std::size_t next_bucket_ = 0;
  int passes_ = 0, passes_reduced_ = 0;
};

}  // namespace weft

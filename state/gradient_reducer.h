#pragma once
#include <span>
#include <vector>

#include "layers/block_hooks.h"
#include "parallel/mesh.h"
#include "state/parameter_storage.h"
#include "state/slice.h"

namespace weft {

/// Hands out gradients and gives the sum of an update, over its passes and over the data-parallel ranks, as the slices that this rank
/// updates.
///
///   | zero_stage | ready, earlier passes            | ready, last pass | slices                 |
///   | 0          | -                                | all_reduce       | everything             |
///   | 1          | -                                | reduce_scatter   | this rank's share      |
///   | 2          | reduce_scatter, add to the share | same             | this rank's share      |
///
/// With one data-parallel rank all stages are the same and nothing is sent. More ranks are refused as not supported yet.
class GradientReducer : public BlockHooks {
 public:
  GradientReducer(ParameterStorage&, Communicator& dp, const ParallelConfig&);

  /// Zeroes the gradients of the update that begins. `passes` is the same on every rank, at least 1.
  void begin_update(Context&, int passes);
  void ready(Context&, BlockId) override;
  /// After the last pass: from here on ctx.stream sees the sums. Fails when a block was not ready once in every pass.
  void finish(Context&);
  std::span<const Slice> slices() const { return slices_; }

 private:
  ParameterStorage& storage_;
  std::vector<Slice> slices_;
  std::vector<int> ready_;  // times, by block
  int passes_ = 0;
};

}  // namespace weft

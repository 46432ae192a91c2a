#pragma once
#include <cstdint>
#include <vector>

#include "parallel/communicator.h"
#include "runtime/device.h"
#include "state/shard_layout.h"

namespace weft {

/// Where gradients lie on one rank, all in the sum type. Kernels add to the *working* gradient of a range; the *sum* over passes and ranks
/// is where the reducer leaves it.
///
///   | zero_stage | working                                            | sum                                     |
///   | 0, 1       | a place for every element                          | the same place                          |
///   | 2          | places that the groups of blocks use in turn       | this rank's slices, in memory of its own |
///
/// A group is the fewest neighbouring blocks whose buckets hold nothing else. All groups share one place, as long as the largest: blocks
/// run backward one after the other. A group with a shared parameter, whose gradient is written from the first block to the last, has a
/// place of its own.
class GradientBuffers {
 public:
  /// Binds `grad` of every parameter of the set, which the layout is of.
  GradientBuffers(ParameterSet&, const ShardLayout&, Communicator& dp, Device&, DType sum);

  /// Elements of one group, or any elements where all are kept.
  Tensor working(FlatRange) const;
  /// A range that this rank updates, in one of layout.updated().
  Tensor sum(FlatRange) const;
  /// All working memory: to zero it.
  Tensor working() const { return working_; }
  /// Whether a place is used again once its group is reduced, so that every pass is reduced by itself.
  bool reused() const { return sums_.defined(); }
  std::int64_t bytes() const { return working_.bytes() + (sums_.defined() ? sums_.bytes() : 0); }

 private:
  struct Group {
    FlatRange range;
    std::int64_t place = 0;  // of its first element in working_
  };

  const ShardLayout& layout_;
  std::vector<Group> groups_;
  Memory working_memory_, sum_memory_;
  Tensor working_, sums_;  // sums_ (updated elements of the layout); absent where the sums lie in working_
};

}  // namespace weft

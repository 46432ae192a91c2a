#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "layers/parameter.h"
#include "parallel/mesh.h"
#include "runtime/tensor.h"

namespace weft {

/// A run of the flat storage whose gradients are sent together.
struct Bucket {
  FlatRange range;
  BlockId first_block = 0;  // complete once this block is ready: blocks become ready from the last to the first
};

/// A run of the flat storage with its summed gradient: what this rank updates.
struct Slice {
  FlatRange range;
  Tensor gradient;  // (range.end - range.begin), sum type
};

/// How the flat storage is dealt to the data-parallel ranks. It is cut into buckets in the order of backward: whole blocks of together at
/// most bucket_mb of gradients, or pieces of a larger block. Each bucket is cut into as many equal slices as there are ranks; slice r is
/// rank r's. What a rank *updates* is everything with zero_stage 0, else its slices; what it *stores* in a checkpoint is its slices always.
class ShardLayout {
 public:
  /// One rank: everything.
  explicit ShardLayout(const ParameterSet&);
  /// The set is laid out for dp.size() shards. `element_bytes`: of a gradient.
  ShardLayout(const ParameterSet&, const Communicator& dp, const ParallelConfig&, std::int64_t element_bytes);

  std::span<const Bucket> buckets() const { return buckets_; }
  FlatRange slice(const Bucket&) const;  // this rank's
  /// Whether ranks update different parts, so that values must be gathered afterwards.
  bool sharded() const { return sharded_; }
  /// Whether a rank keeps the gradients of its slices alone.
  bool shards_gradients() const { return shards_gradients_; }
  int ranks() const { return size_; }
  /// Ascending, neighbours joined.
  std::span<const FlatRange> updated() const { return updated_; }
  std::span<const FlatRange> stored() const { return stored_; }
  std::int64_t updated_elements() const { return updated_elements_; }
  /// Where element `begin` of the flat storage lies in a tensor of updated_elements() that has the updated ranges one after another.
  /// Fails unless all of the range is this rank's.
  std::int64_t offset_in_shard(FlatRange) const;

 private:
  void cut(const ParameterSet&, std::int64_t largest);

  int rank_ = 0, size_ = 1;
  bool sharded_ = false, shards_gradients_ = false;
  std::vector<Bucket> buckets_;
  std::vector<FlatRange> updated_, stored_;
  std::int64_t updated_elements_ = 0;
};

}  // namespace weft

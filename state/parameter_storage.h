#pragma once
#include <optional>

#include "layers/parameter.h"
#include "parallel/communicator.h"
#include "runtime/context.h"
#include "state/gradient_buffers.h"
#include "state/shard_layout.h"

namespace weft {

enum class StorageUse { kTraining, kInference };  // inference: values alone

/// The memory of a laid-out ParameterSet on one rank: values (compute dtype) of all parameters, flat, and their gradients
/// (GradientBuffers), in memory that the communicator likes; and the master weights (sum type) of what this rank updates. With float32 and
/// float64 a master is the value's own memory; with bfloat16 it is separate and a value is its master, rounded. Binds `value` and `grad` of
/// every parameter, so it must outlive their use. On the dry device the addresses are made up.
class ParameterStorage {
 public:
  /// One rank.
  ParameterStorage(ParameterSet&, Communicator&, Device&, DType compute, StorageUse = StorageUse::kTraining);
  /// The layout is of the same set and communicator.
  ParameterStorage(ParameterSet&, Communicator&, Device&, DType compute, ShardLayout, StorageUse);
  ParameterStorage(const ParameterStorage&) = delete;
  ParameterStorage& operator=(const ParameterStorage&) = delete;

  /// Draws the initial weights into masters and values, constants into values only; gradients become zero.
  void initialize(Context&);
  /// The constants; all else becomes zero: for weights that are loaded next, which need not be drawn before.
  void initialize_constants(Context&);
  /// values = masters, rounded, of what this rank updates: after masters were loaded or exchanged.
  void make_values(Context&);
  /// Weights from outside: elements begin .. of values, and of this rank's masters, become `host`, (N) in the sum type, host memory. Not
  /// inside a step.
  void set_weights(Context&, std::int64_t begin, Tensor host);

  Tensor values() const { return values_; }                         // (total_elements)
  const GradientBuffers& gradients() const { return *gradients_; }  // not in inference
  /// The master weights of a range that this rank updates, all of it in one of layout().updated(). Absent in inference with bfloat16.
  Tensor masters(FlatRange) const;
  std::int64_t master_bytes() const { return masters_.defined() ? masters_.bytes() : 0; }  // beside the values
  DType sum_dtype() const { return sum_type(values_.dtype); }
  const ParameterSet& parameters() const { return parameters_; }
  ParameterSet& parameters() { return parameters_; }
  const ShardLayout& layout() const { return layout_; }

 private:
  void initialize(Context&, bool weights);
  void copy_to_masters(Context&, std::int64_t begin, Tensor host);

  ParameterSet& parameters_;
  ShardLayout layout_;
  Memory value_memory_, master_memory_;
  Tensor values_;
  Tensor masters_;  // (updated elements), the updated ranges one after another; absent where the values are the masters
  std::optional<GradientBuffers> gradients_;
};

}  // namespace weft

#pragma once
#include "layers/parameter.h"
#include "parallel/communicator.h"
#include "runtime/context.h"

namespace weft {

enum class StorageUse { kTraining, kInference };  // inference: values alone

/// The memory of a laid-out ParameterSet on one rank, all flat: values in the compute dtype, gradients and master weights in its sum type.
/// With float32 and float64 the masters are the values' own memory; with bfloat16 they are separate and a value is its master, rounded.
/// Binds `value` and `grad` of every parameter, so it must outlive their use. On the dry device the addresses are made up.
class ParameterStorage {
 public:
  ParameterStorage(ParameterSet&, Communicator&, Device&, DType compute, StorageUse = StorageUse::kTraining);
  ParameterStorage(const ParameterStorage&) = delete;
  ParameterStorage& operator=(const ParameterStorage&) = delete;

  /// Draws the initial weights into masters and values, constants into values only; gradients become zero.
  void initialize(Context&);
  /// values = masters, rounded: after masters were loaded or exchanged. Constants stay.
  void make_values(Context&);
  /// Weights from outside: elements begin .. of masters and values become `host`, (N) in the sum type, host memory. Not inside a step.
  void set_weights(Context&, std::int64_t begin, Tensor host);

  Tensor values() const { return values_; }        // (total_elements)
  Tensor gradients() const { return gradients_; }  // (elements); absent in inference
  Tensor masters() const { return masters_; }      // (elements); absent in inference with bfloat16
  const ParameterSet& parameters() const { return parameters_; }

 private:
  bool separate_masters() const { return masters_.defined() && masters_.data != values_.data; }

  ParameterSet& parameters_;
  Memory value_memory_, gradient_memory_, master_memory_;
  Tensor values_, gradients_, masters_;
};

}  // namespace weft

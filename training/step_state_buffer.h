#pragma once
#include <array>

#include "runtime/device.h"
#include "runtime/step_state.h"

namespace weft {

/// The StepState tensor on the device, and how the host writes and reads it without waiting inside a step.
class StepStateBuffer {
 public:
  using Fields = std::array<double, StepState::kFields>;

  StepStateBuffer(Device&, Stream&);
  Tensor tensor() const { return tensor_; }

  /// Enqueues what the host decides for update `step`. The device runs at most two steps behind, and each step has its own staging slot.
  void write(std::int64_t step, double learning_rate, double loss_scale);
  /// Counts that live on the device, after a resume. Waits.
  void restore(std::int64_t adam_count, std::int64_t nonfinite_row);
  /// Enqueues a copy to the host; call once a step, after the update.
  void record();
  /// What `record` copied a step ago: the host looks a step late and never waits for it. Before the second step: all zero.
  const Fields& previous() const { return host_[parity_]; }
  /// All fields now. Waits.
  Fields read();

 private:
  Device& device_;
  Stream& stream_;
  Memory memory_, staging_;
  Tensor tensor_;
  std::array<Fields, 2> host_{};
  std::size_t parity_ = 0;
};

}  // namespace weft

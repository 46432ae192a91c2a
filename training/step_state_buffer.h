#pragma once
#include <array>
#include <memory>

#include "runtime/device.h"
#include "runtime/step_state.h"

namespace weft {

/// The StepState tensor on the device, and how the host writes and reads it without waiting inside a step.
class StepStateBuffer {
 public:
  using Fields = std::array<double, StepState::kFields>;

  StepStateBuffer(Device&, Stream&);
  Tensor tensor() const { return tensor_; }

  /// Enqueues what the host decides for update `step`. Waits until the device has read what was written two updates ago, whose staging slot
  /// this one takes: so the device is never more than two updates behind.
  void write(std::int64_t step, double learning_rate, double loss_scale);
  /// Counts that live on the device, after a resume. Waits.
  void restore(std::int64_t adam_count, std::int64_t nonfinite_row);
  /// Enqueues a copy to the host; call once a step, after the update.
  void record();
  /// What `record` copied a step ago: the host looks a step late, and seldom waits. Before the second step: all zero.
  Fields previous();
  /// All fields now. Waits.
  Fields read();

 private:
  static constexpr std::size_t kSlots = 2;
  /// Pinned host memory that the device reads or writes in its own time; `done`: it has.
  struct Slot {
    Memory memory;
    std::unique_ptr<Event> done;
  };
  Slot make_slot();
  Tensor view(const Slot&, std::int64_t fields) const;

  Device& device_;
  Stream& stream_;
  Memory memory_;
  Tensor tensor_;
  std::array<Slot, kSlots> written_, recorded_;  // by the parity of the update
  std::size_t next_record_ = 0;
};

}  // namespace weft

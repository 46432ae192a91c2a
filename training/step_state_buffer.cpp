#include "training/step_state_buffer.h"

#include <algorithm>

namespace weft {
namespace {

constexpr std::int64_t kBytes = StepState::kFields * static_cast<std::int64_t>(sizeof(double));

// The fields of `write` are neighbours and come first.
static_assert(StepState::kStep == 0 && StepState::kLearningRate == 1 && StepState::kLossScale == 2);
constexpr std::int64_t kWritten = 3;

}  // namespace

StepStateBuffer::StepStateBuffer(Device& device, Stream& stream)
    : device_(device),
      stream_(stream),
      memory_(device.allocate(kBytes, MemoryKind::kDevice)),
      tensor_(memory_.tensor({StepState::kFields}, DType::kFloat64)) {
  for (Slot& slot : written_) slot = make_slot();
  for (Slot& slot : recorded_) slot = make_slot();
  device_.copy(stream_, tensor_, view(written_[0], StepState::kFields));
  stream_.synchronize();
}

StepStateBuffer::Slot StepStateBuffer::make_slot() {
  Slot slot{device_.allocate(kBytes, MemoryKind::kPinnedHost), device_.event()};
  std::fill_n(reinterpret_cast<double*>(slot.memory.data()), StepState::kFields, 0.0);
  return slot;
}

Tensor StepStateBuffer::view(const Slot& slot, std::int64_t fields) const {
  return {slot.memory.data(), {fields}, DType::kFloat64};
}

void StepStateBuffer::write(std::int64_t step, double learning_rate, double loss_scale) {
  Slot& slot = written_[static_cast<std::size_t>(step) % kSlots];
  slot.done->synchronize();
  double* fields = reinterpret_cast<double*>(slot.memory.data());
  fields[StepState::kStep] = static_cast<double>(step);
  fields[StepState::kLearningRate] = learning_rate;
  fields[StepState::kLossScale] = loss_scale;
  device_.copy(stream_, tensor_.rows(0, kWritten), view(slot, kWritten));
  stream_.record(*slot.done);
}

void StepStateBuffer::restore(std::int64_t adam_count, std::int64_t nonfinite_row) {
  double values[] = {static_cast<double>(adam_count), static_cast<double>(nonfinite_row)};
  device_.copy(stream_, tensor_.rows(StepState::kAdamCount, 1), Tensor(&values[0], {1}, DType::kFloat64));
  device_.copy(stream_, tensor_.rows(StepState::kNonFiniteRow, 1), Tensor(&values[1], {1}, DType::kFloat64));
  stream_.synchronize();
}

void StepStateBuffer::record() {
  Slot& slot = recorded_[next_record_];
  device_.copy(stream_, view(slot, StepState::kFields), tensor_);
  stream_.record(*slot.done);
  next_record_ = (next_record_ + 1) % kSlots;
}

StepStateBuffer::Fields StepStateBuffer::previous() {
  const Slot& slot = recorded_[next_record_];  // the older of the two
  slot.done->synchronize();
  Fields fields{};
  std::copy_n(reinterpret_cast<const double*>(slot.memory.data()), fields.size(), fields.begin());
  return fields;
}

StepStateBuffer::Fields StepStateBuffer::read() {
  Fields fields{};
  device_.copy(stream_, Tensor(fields.data(), {StepState::kFields}, DType::kFloat64), tensor_);
  stream_.synchronize();
  return fields;
}

}  // namespace weft

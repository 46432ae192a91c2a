#include "training/step_state_buffer.h"

#include <algorithm>

namespace weft {
namespace {

constexpr std::int64_t kSlots = 2;
constexpr std::int64_t kFieldBytes = sizeof(double);

// The fields of `write` are neighbours and come first.
static_assert(StepState::kStep == 0 && StepState::kLearningRate == 1 && StepState::kLossScale == 2);
constexpr std::int64_t kWritten = 3;

}  // namespace

StepStateBuffer::StepStateBuffer(Device& device, Stream& stream)
    : device_(device),
      stream_(stream),
      memory_(device.allocate(StepState::kFields * kFieldBytes, MemoryKind::kDevice)),
      staging_(device.allocate(kSlots * StepState::kFields * kFieldBytes, MemoryKind::kPinnedHost)),
      tensor_(memory_.tensor({StepState::kFields}, DType::kFloat64)) {
  std::fill_n(reinterpret_cast<double*>(staging_.data()), kSlots * StepState::kFields, 0.0);
  device_.copy(stream_, tensor_, Tensor(staging_.data(), {StepState::kFields}, DType::kFloat64));
}

void StepStateBuffer::write(std::int64_t step, double learning_rate, double loss_scale) {
  double* slot = reinterpret_cast<double*>(staging_.data()) + (step % kSlots) * StepState::kFields;
  slot[StepState::kStep] = static_cast<double>(step);
  slot[StepState::kLearningRate] = learning_rate;
  slot[StepState::kLossScale] = loss_scale;
  device_.copy(stream_, tensor_.rows(0, kWritten), Tensor(slot, {kWritten}, DType::kFloat64));
}

void StepStateBuffer::restore(std::int64_t adam_count, std::int64_t nonfinite_row) {
  double values[] = {static_cast<double>(adam_count), static_cast<double>(nonfinite_row)};
  device_.copy(stream_, tensor_.rows(StepState::kAdamCount, 1), Tensor(&values[0], {1}, DType::kFloat64));
  device_.copy(stream_, tensor_.rows(StepState::kNonFiniteRow, 1), Tensor(&values[1], {1}, DType::kFloat64));
  stream_.synchronize();
}

void StepStateBuffer::record() {
  device_.copy(stream_, Tensor(host_[parity_].data(), {StepState::kFields}, DType::kFloat64), tensor_);
  parity_ = 1 - parity_;
}

StepStateBuffer::Fields StepStateBuffer::read() {
  Fields fields{};
  device_.copy(stream_, Tensor(fields.data(), {StepState::kFields}, DType::kFloat64), tensor_);
  stream_.synchronize();
  return fields;
}

}  // namespace weft

#include "training/step_state_buffer.h"

#include <gtest/gtest.h>

#include "runtime/kernels/table.h"
#include "tests/support/deferred_device.h"

namespace weft::test {
namespace {

/// The host writes ahead of a device that has done nothing yet: each update still computes with its own numbers.
TEST(StepStateBufferTest, AnUpdateComputesWithItsOwnNumbersHoweverLateItRuns) {
  DeferredDevice device(reference_kernels());
  Stream& stream = device.stream(StreamKind::kCompute);
  StepStateBuffer buffer(device, stream);
  std::array<std::array<double, StepState::kFields>, 6> seen{};
  for (std::int64_t step = 1; step <= 5; ++step) {
    buffer.write(step, 0.1 * static_cast<double>(step), 1.0 / static_cast<double>(step));
    auto& fields = seen[static_cast<std::size_t>(step)];
    device.copy(stream, Tensor(fields.data(), {StepState::kFields}, DType::kFloat64), buffer.tensor());  // the update's kernels
    buffer.record();
  }
  stream.synchronize();
  for (std::size_t step = 1; step <= 5; ++step) {
    EXPECT_EQ(seen[step][StepState::kStep], static_cast<double>(step));
    EXPECT_DOUBLE_EQ(seen[step][StepState::kLearningRate], 0.1 * static_cast<double>(step));
  }
}

TEST(StepStateBufferTest, TheHostLooksAStepLate) {
  DeferredDevice device(reference_kernels());
  StepStateBuffer buffer(device, device.stream(StreamKind::kCompute));
  EXPECT_EQ(buffer.previous()[StepState::kStep], 0);
  for (std::int64_t step = 1; step <= 4; ++step) {
    buffer.write(step, 1, 1);
    buffer.record();
    EXPECT_EQ(buffer.previous()[StepState::kStep], static_cast<double>(step - 1));
  }
  EXPECT_EQ(buffer.read()[StepState::kStep], 4);
}

}  // namespace
}  // namespace weft::test

#include <gtest/gtest.h>

#include "runtime/dry_device.h"
#include "runtime/error.h"
#include "runtime/kernels/table.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

constexpr std::int64_t kEndless = std::int64_t{1} << 46;

class DryDeviceTest : public testing::Test {
 protected:
  Tensor tensor(Shape shape, DType dtype) {
    memory_.push_back(device_.allocate(shape.elements() * size_of(dtype), MemoryKind::kDevice));
    return memory_.back().tensor(shape, dtype);
  }

  std::vector<Memory> memory_;
  DryDevice device_{reference_kernels()};
  Memory block_ = device_.allocate(kEndless, MemoryKind::kDevice);
  StepArena arena_{block_.data(), kEndless};
  Context ctx_{device_, device_.stream(StreamKind::kCompute), arena_, tensor({StepState::kFields}, DType::kFloat64), true};
};

TEST_F(DryDeviceTest, ComputesNothingAtAnySize) {
  const std::int64_t huge = 1 << 20;
  const Tensor x = tensor({huge, huge}, DType::kBFloat16);
  EXPECT_NO_THROW(kernels::matmul(ctx_, {.a = x, .b = x, .y = tensor(x.shape, x.dtype)}));
  EXPECT_NO_THROW(kernels::fill_zero(ctx_, {.y = x}));
  EXPECT_NO_THROW(kernels::finish_norm(ctx_, {}));
  EXPECT_NO_THROW(device_.copy(ctx_.stream, x, x));
  EXPECT_FALSE(device_.computes());
}

TEST_F(DryDeviceTest, ChecksShapesAsTheRealOneDoes) {
  const Tensor a = tensor({4, 5}, DType::kFloat32), b = tensor({6, 7}, DType::kFloat32), y = tensor({4, 7}, DType::kFloat32);
  EXPECT_THROW(kernels::matmul(ctx_, {.a = a, .b = b, .y = y}), Error);
  EXPECT_THROW(device_.copy(ctx_.stream, a, b), Error);
}

TEST_F(DryDeviceTest, BlocksDoNotOverlap) {
  const Tensor a = tensor({100, 100}, DType::kFloat64), b = tensor({3}, DType::kFloat64);
  EXPECT_GE(b.data, a.data + a.bytes());
  EXPECT_GE(a.data, block_.data() + kEndless);
}

template <class Memory>
std::int64_t peak_of_attention(Context& ctx, Memory&& tensor) {
  const Tensor x = tensor({9, 2, 8}), lse = tensor({9, 2}), one = Tensor(tensor({1}).data, {1}, DType::kInt32);
  if (ctx.device.computes()) std::fill_n(one.as<std::int32_t>(), 1, 0);
  const AttentionRows rows{one, one, one, one, 9, 9};
  kernels::attention_forward(ctx, {.q = x, .k = x, .v = x, .rows = rows, .y = x, .lse = lse});
  kernels::attention_backward(ctx, {.dy = x, .q = x, .k = x, .v = x, .y = x, .lse = lse, .rows = rows, .dq = x, .dk = x, .dv = x});
  return ctx.memory.peak();
}

TEST_F(DryDeviceTest, MeasuresThePeakOfTheDeviceItStandsFor) {
  TestContext real;
  const std::int64_t measured = peak_of_attention(ctx_, [&](const Shape& shape) { return tensor(shape, DType::kFloat32); });
  EXPECT_EQ(measured, peak_of_attention(real.context(), [&](const Shape& shape) { return real.zeros(shape, DType::kFloat32); }));
  EXPECT_GT(measured, 0);
}

TEST_F(DryDeviceTest, AddressesFaultWhenTouched) {
  const Tensor x = tensor({1}, DType::kFloat32);
  EXPECT_DEATH({ *static_cast<volatile float*>(x.as<float>()) = 1; }, "");
}

}  // namespace
}  // namespace weft::test

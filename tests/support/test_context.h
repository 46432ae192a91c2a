#pragma once
#include <deque>
#include <vector>

#include "runtime/context.h"
#include "runtime/cpu_device.h"
#include "runtime/kernels/table.h"
#include "runtime/step_state.h"

namespace weft::test {

inline constexpr DType kDouble = DType::kFloat64;

/// A CPU device with an arena that poisons what it releases, a step state at step 1 with loss scale 1, and room for tensors of the test.
class TestContext {
 public:
  explicit TestContext(const KernelTable& kernels = reference_kernels(), std::int64_t arena_bytes = 64 << 20);

  Context& context() { return context_; }
  operator Context&() { return context_; }
  double& step_state(StepState::Field field) { return context_.step_state.as<double>()[field]; }

  /// Tensors that live as long as this object.
  Tensor zeros(Shape, DType);
  Tensor empty(Shape, DType);  // filled with NaN bytes: what a kernel overwrites must not depend on it
  /// Standard normal numbers from `seed`, the same for every dtype but for rounding.
  Tensor normal(Shape, DType, std::uint64_t seed, double deviation = 1);
  Tensor ints(const std::vector<std::int32_t>& values);
  Tensor floats(const std::vector<double>& values, DType, Shape);

 private:
  Tensor allocate(Shape, DType);
  CpuDevice device_;
  Memory block_;
  StepArena arena_;
  std::deque<Memory> tensors_;
  Context context_;
};

/// Elements of any floating tensor (rows may be strided) as doubles, in row-major order.
std::vector<double> to_doubles(const Tensor&);
/// max |a - b| / max |b| over the elements; 0 / 0 is 0. NaN anywhere gives NaN.
double relative_error(const Tensor& a, const Tensor& b);
double relative_error(const std::vector<double>& a, const std::vector<double>& b);

}  // namespace weft::test

#include "state/parameter_storage.h"

#include "runtime/error.h"
#include "runtime/kernels/memory_ops.h"

namespace weft {
namespace {

/// Rounds (N) float32 on the host, as the device would.
void round_to_bfloat16(Tensor from, Tensor to) {
  const auto x = from.span<float>();
  const auto y = to.span<bfloat16>();
  for (std::size_t i = 0; i < x.size(); ++i) y[i] = bfloat16(x[i]);
}

}  // namespace

ParameterStorage::ParameterStorage(ParameterSet& parameters, Communicator& communicator, Device& device, DType compute)
    : parameters_(parameters) {
  const DType sum = sum_type(compute);
  const std::int64_t all = parameters.total_elements(), saved = parameters.elements();
  value_memory_ = communicator.allocate(device, all * size_of(compute));
  gradient_memory_ = communicator.allocate(device, saved * size_of(sum));
  values_ = value_memory_.tensor({all}, compute);
  gradients_ = gradient_memory_.tensor({saved}, sum);
  if (compute == sum) {
    masters_ = values_.rows(0, saved);
  } else {
    master_memory_ = device.allocate(saved * size_of(sum), MemoryKind::kDevice);
    masters_ = master_memory_.tensor({saved}, sum);
  }
  parameters.bind_values(values_);
  parameters.bind_gradients(gradients_);
}

void ParameterStorage::initialize(Context& ctx) {
  kernels::fill_zero(ctx, {.y = values_});
  kernels::fill_zero(ctx, {.y = gradients_});
  if (separate_masters()) kernels::fill_zero(ctx, {.y = masters_});
  if (!ctx.device.computes()) return;
  for (const Parameter& parameter : parameters_.parameters()) {
    const std::int64_t count = parameter.shape.elements();
    const Memory drawn = ctx.device.allocate(count * size_of(masters_.dtype), MemoryKind::kPinnedHost);
    const Memory rounded = ctx.device.allocate(count * size_of(values_.dtype), MemoryKind::kPinnedHost);
    Tensor weights = drawn.tensor({count}, masters_.dtype);
    draw_initial_values(parameter, parameters_.seed(), weights.view(parameter.shape));
    if (parameter.saved) ctx.device.copy(ctx.stream, masters_.rows(parameter.offset, count), weights);
    if (separate_masters()) {
      const Tensor values = rounded.tensor({count}, values_.dtype);
      round_to_bfloat16(weights, values);
      weights = values;
    }
    if (separate_masters() || !parameter.saved) ctx.device.copy(ctx.stream, values_.rows(parameter.offset, count), weights);
    ctx.stream.synchronize();  // before the host memory goes; this is before the first step
  }
}

void ParameterStorage::make_values(Context& ctx) {
  if (separate_masters()) kernels::convert(ctx, {.x = masters_, .y = values_.rows(0, masters_.size(0))});
}

}  // namespace weft

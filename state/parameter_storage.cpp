#include "state/parameter_storage.h"

#include <algorithm>
#include <utility>

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

ParameterStorage::ParameterStorage(ParameterSet& parameters, Communicator& communicator, Device& device, DType compute, StorageUse use)
    : ParameterStorage(parameters, communicator, device, compute, ShardLayout(parameters), use) {}

ParameterStorage::ParameterStorage(ParameterSet& parameters, Communicator& communicator, Device& device, DType compute, ShardLayout layout,
                                   StorageUse use)
    : parameters_(parameters), layout_(std::move(layout)) {
  const DType sum = sum_type(compute);
  const std::int64_t all = parameters.total_elements();
  value_memory_ = communicator.allocate(device, all * size_of(compute));
  values_ = value_memory_.tensor({all}, compute);
  parameters.bind_values(values_);
  if (use == StorageUse::kInference) return;
  if (compute != sum) {
    master_memory_ = device.allocate(layout_.updated_elements() * size_of(sum), MemoryKind::kDevice);
    masters_ = master_memory_.tensor({layout_.updated_elements()}, sum);
  }
  gradients_.emplace(parameters, layout_, communicator, device, sum);
}

void ParameterStorage::initialize(Context& ctx) {
  initialize(ctx, true);
}

void ParameterStorage::initialize_constants(Context& ctx) {
  initialize(ctx, false);
}

void ParameterStorage::initialize(Context& ctx, bool weights) {
  kernels::fill_zero(ctx, {.y = values_});
  if (gradients_) kernels::fill_zero(ctx, {.y = gradients_->working()});
  if (masters_.defined()) kernels::fill_zero(ctx, {.y = masters_});
  if (!ctx.device.computes()) return;
  const DType sum = sum_dtype();
  for (const Parameter& parameter : parameters_.parameters()) {
    if (!weights && parameter.saved) continue;
    const std::int64_t count = parameter.shape.elements();
    const Memory memory = ctx.device.allocate(count * size_of(sum), MemoryKind::kPinnedHost);
    const Tensor drawn = memory.tensor({count}, sum);
    draw_initial_values(parameter, parameters_.seed(), drawn.view(parameter.shape));
    if (parameter.wide) {
      ctx.device.copy(ctx.stream, parameter.value.view({count}), drawn);
      ctx.stream.synchronize();  // before the host memory goes
    } else {
      set_weights(ctx, parameter.offset, drawn);
    }
  }
}

Tensor ParameterStorage::masters(FlatRange range) const {
  const std::int64_t count = range.end - range.begin;
  if (masters_.defined()) return masters_.rows(layout_.offset_in_shard(range), count);
  return values_.dtype == sum_dtype() ? values_.rows(range.begin, count) : Tensor{};
}

void ParameterStorage::set_weights(Context& ctx, std::int64_t begin, Tensor host) {
  const std::int64_t count = host.size(0);
  if (masters_.defined()) copy_to_masters(ctx, begin, host);
  const Memory memory = ctx.device.allocate(count * size_of(values_.dtype), MemoryKind::kPinnedHost);
  const Tensor rounded = memory.tensor({count}, values_.dtype);
  if (host.dtype != values_.dtype) round_to_bfloat16(host, rounded);
  ctx.device.copy(ctx.stream, values_.rows(begin, count), host.dtype == values_.dtype ? host : rounded);
  ctx.stream.synchronize();  // before the host memory goes
}

/// Only the elements that this rank updates have masters here; constants have none on any rank.
void ParameterStorage::copy_to_masters(Context& ctx, std::int64_t begin, Tensor host) {
  for (const FlatRange owned : layout_.updated()) {
    const FlatRange part{std::max(begin, owned.begin), std::min(begin + host.size(0), owned.end)};
    if (part.begin >= part.end) continue;
    ctx.device.copy(ctx.stream, masters(part), host.rows(part.begin - begin, part.end - part.begin));
  }
}

void ParameterStorage::make_values(Context& ctx) {
  if (!masters_.defined()) return;
  for (const FlatRange owned : layout_.updated()) {
    kernels::convert(ctx, {.x = masters(owned), .y = values_.rows(owned.begin, owned.end - owned.begin)});
  }
}

}  // namespace weft

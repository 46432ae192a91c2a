#include "layers/packed_weights.h"

#include "runtime/kernels/matmul.h"

namespace weft {
namespace {

constexpr bool kTransposed = true;

std::int64_t bytes_of(const Device& device, const Parameter& parameter) {
  constexpr std::int64_t kAlign = 64;
  if (!parameter.multiplied) return 0;
  return (kernels::packed_matmul_bytes(device, parameter.value, kTransposed) + kAlign - 1) / kAlign * kAlign;
}

}  // namespace

PackedWeights::PackedWeights(Context& ctx, ParameterSet& parameters) : parameters_(parameters) {
  std::int64_t total = 0;
  for (const Parameter& parameter : parameters.parameters()) total += bytes_of(ctx.device, parameter);
  if (total == 0) return;
  memory_ = ctx.device.allocate(total, MemoryKind::kDevice);
  std::byte* next = memory_.data();
  for (Parameter& parameter : parameters.parameters()) {
    if (bytes_of(ctx.device, parameter) == 0) continue;
    const Tensor packed(next, {kernels::packed_matmul_bytes(ctx.device, parameter.value, kTransposed)}, DType::kUInt8);
    kernels::pack_matmul(ctx, {.b = parameter.value, .transpose_b = kTransposed, .packed = packed});
    next += bytes_of(ctx.device, parameter);
    parameter.packed = packed;
  }
}

PackedWeights::~PackedWeights() {
  for (Parameter& parameter : parameters_.parameters()) parameter.packed = Tensor{};
}

}  // namespace weft

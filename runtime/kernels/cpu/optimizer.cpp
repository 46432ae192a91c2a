#include <algorithm>
#include <cmath>
#include <cstring>

#include "runtime/kernels/cpu/install.h"

namespace weft::cpu {
namespace {

float narrow(double x) {
  return static_cast<float>(x);
}

template <const Isa& isa>
void sum_of_squares(Context& ctx, const kernels::SumOfSquares& a) {
  if (a.x.dtype != DType::kFloat32) return reference_kernels().sum_of_squares.run(ctx, a);
  isa.sum_of_squares(a.x.as<float>(), a.x.elements(), ctx.step_state.as<double>() + StepState::kSumOfSquares,
                     reinterpret_cast<double*>(a.workspace.data));
}

template <const Isa& isa>
std::int64_t sum_of_squares_workspace(const kernels::SumOfSquares& a) {
  if (a.x.dtype != DType::kFloat32) return reference_kernels().sum_of_squares.workspace_bytes(a);
  return isa.sum_of_squares_partials(a.x.elements()) * size_of(DType::kFloat64);
}

template <const Isa& isa>
void adam_update(Context& ctx, const kernels::AdamUpdate& a) {
  if (a.master.dtype != DType::kFloat32) return reference_kernels().adam_update.run(ctx, a);
  if (state(ctx, StepState::kFinite) == 0) return;
  const double count = state(ctx, StepState::kAdamCount);
  isa.adam({.storage = storage_of(a.value),
            .size = a.master.elements(),
            .gradient = a.gradient.as<float>(),
            .master = a.master.as<float>(),
            .exp_avg = a.exp_avg.as<float>(),
            .exp_avg_sq = a.exp_avg_sq.as<float>(),
            .value = a.value.data,
            .beta1 = narrow(a.beta1),
            .beta2 = narrow(a.beta2),
            .one_minus_beta1 = narrow(1 - a.beta1),  // in double: 1 - 0.98f is 1e-6 off, relatively
            .one_minus_beta2 = narrow(1 - a.beta2),
            .eps = narrow(a.eps),
            .weight_decay = narrow(a.weight_decay),
            .clip_scale = narrow(state(ctx, StepState::kClipScale)),
            .learning_rate = narrow(state(ctx, StepState::kLearningRate)),
            .correction1 = narrow(1 - std::pow(a.beta1, count)),
            .correction2 = narrow(1 - std::pow(a.beta2, count)),
            .decoupled = a.decoupled});
}

template <const Isa& isa>
void sgd_update(Context& ctx, const kernels::SgdUpdate& a) {
  if (a.master.dtype != DType::kFloat32) return reference_kernels().sgd_update.run(ctx, a);
  if (state(ctx, StepState::kFinite) == 0) return;
  isa.sgd({.storage = storage_of(a.value),
           .size = a.master.elements(),
           .gradient = a.gradient.as<float>(),
           .master = a.master.as<float>(),
           .momentum_buffer = a.momentum != 0 ? a.momentum_buffer.as<float>() : nullptr,
           .value = a.value.data,
           .momentum = narrow(a.momentum),
           .weight_decay = narrow(a.weight_decay),
           .clip_scale = narrow(state(ctx, StepState::kClipScale)),
           .learning_rate = narrow(state(ctx, StepState::kLearningRate)),
           .nesterov = a.nesterov});
}

template <const Isa& isa>
void ema_update(Context& ctx, const kernels::EmaUpdate& a) {
  if (a.master.dtype != DType::kFloat32) return reference_kernels().ema_update.run(ctx, a);
  if (state(ctx, StepState::kFinite) == 0) return;
  isa.ema({.size = a.master.elements(),
           .master = a.master.as<float>(),
           .average = a.average.as<float>(),
           .decay = narrow(a.decay),
           .one_minus_decay = narrow(1 - a.decay)});
}

template <const Isa& isa>
void convert(Context& ctx, const kernels::Convert& a) {
  const bool matrix = a.x.contiguous() && a.y.contiguous() ? true : a.x.dims() == 2;
  if (!is_fast(a.x.dtype) || !is_fast(a.y.dtype) || !matrix) return reference_kernels().convert.run(ctx, a);
  constexpr std::int64_t kColumns = 4096;  // a contiguous tensor is cut into rows of so many elements
  const bool flat = a.x.contiguous() && a.y.contiguous();
  const std::int64_t whole = flat ? a.x.elements() / kColumns : a.x.size(0), columns = flat ? kColumns : a.x.size(1);
  isa.convert({.from = storage_of(a.x),
               .to = storage_of(a.y),
               .rows = whole,
               .columns = columns,
               .x_stride = flat ? kColumns : a.x.stride(0),
               .y_stride = flat ? kColumns : a.y.stride(0),
               .x = a.x.data,
               .y = a.y.data});
  if (!flat) return;
  const std::int64_t done = whole * kColumns;
  isa.convert({.from = storage_of(a.x),
               .to = storage_of(a.y),
               .rows = 1,
               .columns = a.x.elements() - done,
               .x_stride = 0,
               .y_stride = 0,
               .x = a.x.data + done * size_of(a.x.dtype),
               .y = a.y.data + done * size_of(a.y.dtype)});
}

/// Memory moves at the same speed whatever is compiled for it: cut over threads in pieces.
template <class F>
void for_pieces(std::int64_t bytes, F&& f) {
  constexpr std::int64_t kPiece = 1 << 16;
  const std::int64_t pieces = (bytes + kPiece - 1) / kPiece;
#pragma omp parallel for schedule(static) if (pieces > 1)
  for (std::int64_t piece = 0; piece < pieces; ++piece) f(piece * kPiece, std::min(kPiece, bytes - piece * kPiece));
}

void fill_zero(Context&, const kernels::FillZero& a) {
  for_pieces(a.y.bytes(),
             [&](std::int64_t begin, std::int64_t bytes) { std::memset(a.y.data + begin, 0, static_cast<std::size_t>(bytes)); });
}

void exchange(Context&, const kernels::Exchange& a) {
  for_pieces(a.a.bytes(), [&](std::int64_t begin, std::int64_t bytes) {
    std::swap_ranges(a.a.data + begin, a.a.data + begin + bytes, a.b.data + begin);
  });
}

template <class Real>
void add(const std::byte* x, std::byte* y, std::int64_t bytes) {
  const auto* from = reinterpret_cast<const Real*>(x);
  auto* to = reinterpret_cast<Real*>(y);
#pragma omp simd
  for (std::int64_t i = 0; i < bytes / static_cast<std::int64_t>(sizeof(Real)); ++i) to[i] += from[i];
}

void accumulate(Context&, const kernels::Accumulate& a) {
  for_pieces(a.x.bytes(), [&](std::int64_t begin, std::int64_t bytes) {
    (a.x.dtype == DType::kFloat64 ? add<double> : add<float>)(a.x.data + begin, a.y.data + begin, bytes);
  });
}

void copy_rows(Context&, const kernels::CopyRows& a) {
  const std::int64_t rows = a.from.defined() ? a.from.size(0) : a.to.defined() ? a.to.size(0) : a.x.size(0), element = size_of(a.x.dtype);
  const auto* from = pointer<std::int32_t>(a.from);
  const auto* to = pointer<std::int32_t>(a.to);
  const auto bytes = static_cast<std::size_t>(a.x.size(1) * element);
#pragma omp parallel for schedule(static) if (rows * a.x.size(1) > 8192)
  for (std::int64_t i = 0; i < rows; ++i) {
    const std::int64_t source = from != nullptr ? from[i] : i, target = to != nullptr ? to[i] : i;
    std::memcpy(a.y.data + target * a.y.stride(0) * element, a.x.data + source * a.x.stride(0) * element, bytes);
  }
}

}  // namespace

template <const Isa& isa>
void install_optimizer(KernelTable& table) {
  table.sum_of_squares = {sum_of_squares<isa>, sum_of_squares_workspace<isa>};
  table.adam_update = {adam_update<isa>};
  table.sgd_update = {sgd_update<isa>};
  table.ema_update = {ema_update<isa>};
  table.convert = {convert<isa>};
  table.fill_zero = {fill_zero};
  table.exchange = {exchange};
  table.accumulate = {accumulate};
  table.copy_rows = {copy_rows};
}

template void install_optimizer<avx2::isa>(KernelTable&);
template void install_optimizer<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

#pragma once
#include "runtime/kernels/cpu/isa/isa.h"
#include "runtime/kernels/table.h"
#include "runtime/step_state.h"

// How the files of this folder hand the arguments of an operation on to isa/.
namespace weft::cpu {

/// Double stays with the reference.
inline bool is_fast(DType dtype) {
  return dtype == DType::kFloat32 || dtype == DType::kBFloat16;
}
inline Storage storage_of(const Tensor& tensor) {
  return tensor.dtype == DType::kBFloat16 ? Storage::kBFloat16 : Storage::kFloat32;
}
/// Of a tensor with two dims; an absent one is absent.
inline Matrix matrix_of(const Tensor& tensor) {
  if (!tensor.defined()) return {};
  return {storage_of(tensor), tensor.data, tensor.size(0), tensor.size(1), tensor.stride(0)};
}
/// kRelu, kGelu or kGeluTanh.
inline Curve curve_of(Activation activation) {
  return activation == Activation::kRelu ? Curve::kRelu : activation == Activation::kGelu ? Curve::kGelu : Curve::kGeluTanh;
}
template <class T>
T* pointer(const Tensor& tensor) {
  return tensor.defined() ? tensor.as<T>() : nullptr;
}
inline double state(const Context& ctx, StepState::Field field) {
  return ctx.step_state.as<double>()[field];
}
inline RowDropout dropout_of(const Context& ctx, const weft::RowDropout& dropout) {
  if (!drops(ctx, dropout)) return {};
  const Dropout& site = dropout.site;
  return {.active = true,
          .key_low = site.key.low,
          .key_high = site.key.high,
          .step = static_cast<std::uint32_t>(state(ctx, StepState::kStep)),
          .threshold = site.threshold(),
          .scale = static_cast<float>(site.scale()),
          .sample = dropout.sample.as<std::int32_t>(),
          .positions = dropout.positions.as<std::int32_t>(),
          .first_column = dropout.first_column};
}

}  // namespace weft::cpu

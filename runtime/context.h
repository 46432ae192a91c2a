#pragma once
#include "runtime/arena.h"
#include "runtime/device.h"
#include "runtime/tensor.h"

namespace weft {

/// What every forward and backward is handed. Calls only enqueue on `stream`.
struct Context {
  Device& device;
  Stream& stream;
  StepArena& memory;
  Tensor step_state;  // (StepState::kFields), float64: see runtime/step_state.h
  bool training;      // false: no dropout
};

}  // namespace weft

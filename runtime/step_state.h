#pragma once
#include <cstdint>

namespace weft {

/// All that changes from step to step and that a kernel needs, as float64 fields of one tensor in device memory: no kernel takes one of
/// these by value, so a captured graph stays valid and the host never waits inside a step. Integers are exact up to 2^53.
struct StepState {
  enum Field : std::int64_t {
    kStep,          // number of the update being computed, from 1: part of every dropout counter
    kLearningRate,  // of this update
    kLossScale,     // 1 / tokens (or sequences) of the whole update
    kAdamCount,     // updates that were applied; a non-finite one is not
    kFinite,        // 1: the last gradient norm was finite
    kGradNorm,      // of the last update, before clipping
    kClipScale,     // what the gradients are multiplied by: min(1, max_grad_norm / (norm + 1e-6)); 0 when not finite
    kNonFiniteRow,  // non-finite updates in a row
    kSumOfSquares,  // of the gradients, being summed
    kFields
  };
};

}  // namespace weft

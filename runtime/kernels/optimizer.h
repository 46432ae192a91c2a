#pragma once
#include <cstdint>

#include "runtime/context.h"
#include "runtime/tensor.h"

namespace weft::kernels {

// All tensors are flat, (N), contiguous. Learning rate, counts, clip scale and the finite flag come from ctx.step_state; where the last
// gradient norm was not finite, the updates below change nothing.

/// step_state[kSumOfSquares] += sum of x^2, in double, blocks cut by the size of the data.
struct SumOfSquares {
  Tensor x;          // (N), sum type
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void sum_of_squares(Context&, SumOfSquares);

/// From kSumOfSquares: kGradNorm, kFinite, kClipScale (max_grad_norm 0: 1), kAdamCount (+ 1 if finite), kNonFiniteRow; kSumOfSquares = 0.
struct FinishNorm {
  double max_grad_norm = 0;
};
void finish_norm(Context&, const FinishNorm&);

/// g = gradient clip_scale (+ weight_decay w, Adam only); m = b1 m + (1 - b1) g; v = b2 v + (1 - b2) g^2;
/// w -= lr (m / (1 - b1^n)) / (sqrt(v / (1 - b2^n)) + eps), n = kAdamCount. AdamW: first w -= lr weight_decay w. value = w, rounded.
/// arXiv 1412.6980, 1711.05101.
struct AdamUpdate {
  Tensor gradient;    // (N), sum type
  Tensor master;      // (N), sum type
  Tensor exp_avg;     // (N), sum type
  Tensor exp_avg_sq;  // (N), sum type
  Tensor value;       // (N), compute dtype; may be master
  double beta1 = 0.9, beta2 = 0.98, eps = 1e-9;
  double weight_decay = 0;
  bool decoupled = false;  // AdamW
};
void adam_update(Context&, const AdamUpdate&);

/// g = gradient clip_scale + weight_decay w; m = momentum m + g; w -= lr (nesterov ? g + momentum m : m).
struct SgdUpdate {
  Tensor gradient;         // (N), sum type
  Tensor master;           // (N), sum type
  Tensor momentum_buffer;  // (N), sum type; absent when momentum is 0
  Tensor value;            // (N), compute dtype; may be master
  double momentum = 0;
  bool nesterov = false;
  double weight_decay = 0;
};
void sgd_update(Context&, const SgdUpdate&);

/// average = decay average + (1 - decay) master.
struct EmaUpdate {
  Tensor master;   // (N), sum type
  Tensor average;  // (N), sum type
  double decay = 0;
};
void ema_update(Context&, const EmaUpdate&);

}  // namespace weft::kernels

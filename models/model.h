#pragma once
#include <memory>

#include "layers/block_hooks.h"
#include "runtime/context.h"
#include "runtime/rows.h"

namespace weft {

/// A model as training sees it. `sums` is (LossSums::kFields) float64 on the device; everything is added to it and stays there.
class Model {
 public:
  virtual ~Model() = default;
  /// Adds the gradients of one micro-batch. The loss gradient is scaled by step_state[kLossScale].
  virtual void forward_backward(Context&, const Batch&, BlockHooks&, Tensor sums) = 0;
  /// Loss only, without dropout (ctx.training is false): validation and `score`.
  virtual void forward(Context&, const Batch&, BlockHooks&, Tensor sums) = 0;
};

}  // namespace weft

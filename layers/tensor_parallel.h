#pragma once
#include "parallel/communicator.h"
#include "runtime/context.h"

namespace weft {

/// How tensor parallelism enters the math: a conjugate pair around the part of a sub-layer that is cut over tp ranks. `enter` is the
/// identity and its backward sums the input gradients of all ranks; `leave` sums the partial outputs and its backward is the identity.
/// Alone, or at size one, both do nothing, so there is one family of layers. Sums are in place, on the stream of the context.
class TensorParallel {
 public:
  TensorParallel() = default;  // alone
  explicit TensorParallel(Communicator& tp) : tp_(&tp) {}
  int rank() const { return tp_ == nullptr ? 0 : tp_->rank(); }
  int size() const { return tp_ == nullptr ? 1 : tp_->size(); }

  /// y (T, C): this rank's partial sum -> the sum of all ranks.
  void leave(Context&, Tensor y) const;
  /// dx (T, C): this rank's part of the input gradient -> the sum of all ranks.
  void enter_backward(Context&, Tensor dx) const;

 private:
  Communicator* tp_ = nullptr;
};

/// Layers hold whole parameters so far: more than one rank would add up the same output, so that fails.
void require_alone(const TensorParallel&);

}  // namespace weft

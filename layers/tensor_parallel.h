#pragma once
#include "layers/parameter.h"
#include "parallel/communicator.h"
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/kernels/vocabulary_piece.h"

namespace weft {

/// Whether an input gradient is overwritten, or added to what is there (the residual stream, the gradient of the encoder's output).
enum class Write { kOverwrite, kAdd };

/// How tensor parallelism enters the math: a conjugate pair around the part of a sub-layer that is cut over tp ranks. `enter` is the
/// identity, and its backward sums the input gradients of all ranks; `leave` sums the partial outputs, and its backward is the identity.
/// Alone, or at size one, both do nothing, so there is one family of layers. Sums are on the stream of the context.
class TensorParallel {
 public:
  TensorParallel() = default;  // alone
  explicit TensorParallel(Communicator& tp) : tp_(&tp) {}
  int rank() const { return tp_ == nullptr ? 0 : tp_->rank(); }
  int size() const { return tp_ == nullptr ? 1 : tp_->size(); }
  /// This rank's piece along a dim.
  Cut cut(int dim, std::int64_t unit = 1) const { return {.dim = dim, .rank = rank(), .size = size(), .unit = unit}; }
  /// The tokens of a vocabulary (rows of W (V, C)) that a rank holds: cut at multiples of 64, the last ranks have what is left.
  Cut vocabulary_cut(int of_rank) const { return {.dim = 0, .rank = of_rank, .size = size(), .unit = 64}; }
  Cut vocabulary_cut() const { return vocabulary_cut(rank()); }
  /// Fails with exit 64 where the ranks cannot share `count`, which `key` of the configuration gives.
  void require_divides(const char* key, std::int64_t count) const;
  /// What one of the ranks alone adds to a sum over all of them (a bias).
  bool is_first() const { return rank() == 0; }

  /// y (T, C): this rank's partial sum -> the sum of all ranks, in place.
  void leave(Context&, Tensor y) const;
  /// x (n) -> y (size n), the x of all ranks in their order; at size one a copy.
  void all_gather(Context&, Tensor x, Tensor y) const;
  /// Backward of an `enter` whose output several layers read: dx (T, C), to which each has added this rank's part -> the sum of all ranks.
  void enter_backward(Context&, Tensor dx) const;
  /// Backward of `enter` for one layer: `cut_part(dx, write)` computes this rank's part of an input gradient; dx (T, C) is overwritten
  /// with, or gains, the sum of all ranks.
  template <class CutPart>
  void enter_backward(Context& ctx, Tensor dx, Write write, CutPart cut_part) const {
    if (size() == 1) return cut_part(dx, write);
    const StepArena::Scope scope(ctx.memory);
    const Tensor part = write == Write::kAdd ? ctx.memory.scratch("d input of this rank", dx.shape, dx.dtype) : dx;
    cut_part(part, Write::kOverwrite);
    tp_->all_reduce(ctx.stream, part);
    if (write == Write::kAdd) kernels::dropout(ctx, {.x = part, .residual = dx, .y = dx});  // dx += part; nothing is dropped
  }

 private:
  Communicator* tp_ = nullptr;
};

/// The piece of a vocabulary that this rank holds of W.
VocabularyPiece piece_of_vocabulary(const Parameter& weight);

}  // namespace weft

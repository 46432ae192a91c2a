#pragma once
#include <optional>

#include "layers/norm.h"
#include "runtime/context.h"
#include "runtime/rows.h"

namespace weft {

/// What joins the output x of a sub-layer to the residual stream: z = residual + dropout(x), in the place of x, and y = norm(z), in one
/// pass over a row; or y = z where no norm follows.
class Join {
 public:
  using Saved = Norm::Saved;  // without a norm only the dropout

  Join(const Dropout& dropout, std::optional<Norm> norm) : dropout_(dropout), norm_(norm) {}
  bool has_norm() const { return norm_.has_value(); }

  /// x and residual (T, C); x becomes z, and with a norm both stay until backward. y (T, C) is overwritten; without a norm it is x. Of the
  /// rows only their coordinates count, for dropout.
  void forward(Context&, Tensor x, Tensor residual, const Rows&, Tensor y, Saved&) const;

  struct Gradients {
    Tensor dy;      // (T, C)
    Tensor dz_add;  // (T, C) or absent: the gradient that reaches z beside the norm. Absent without a norm
    Tensor dz;      // (T, C), overwritten with a norm; may be dy or dz_add
    Tensor dx;      // (T, C), overwritten where something is dropped; not dz
  };
  struct Result {
    Tensor dresidual;  // dz; without a norm dy
    Tensor dx;         // dx; dresidual where nothing is dropped
  };
  /// The gradients of weight and bias accumulate.
  Result backward(Context&, const Saved&, const Gradients&) const;

 private:
  Dropout dropout_;
  std::optional<Norm> norm_;
};

}  // namespace weft

#pragma once
#include "layers/layer_norm.h"
#include "layers/parameter.h"
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"

namespace weft {

/// What joins the output x of a sub-layer to its residual: z = residual + dropout(x), y = norm(z), in one pass over a row. Post-norm goes
/// on with y alone; pre-norm with z as the next residual and y as the input of the next sub-layer.
class ResidualNorm {
 public:
  struct Saved {
    Tensor z;           // (T, C), the caller's, saved until backward
    Tensor mean, rstd;  // (T), sum type
    RowDropout dropout;
  };
  struct Output {
    Tensor z;  // (T, C), overwritten; may be x
    Tensor y;  // (T, C), overwritten
  };

  ResidualNorm(const LayerNormConfig&, ParameterScope);  // registers weight (C) = 1 and bias (C) = 0

  /// x and residual (T, C). Takes the statistics from saved memory.
  void forward(Context&, Tensor x, Tensor residual, const RowDropout&, Output, Saved&) const;

  struct Gradients {
    Tensor dy;         // (T, C)
    Tensor dz_add;     // (T, C) or absent: the gradient that reaches z beside the norm
    Tensor dresidual;  // (T, C), overwritten; may be dy or dz_add
    Tensor dx;         // (T, C), overwritten, may be dy or dz_add; absent when nothing is dropped: then dresidual is dx too
  };
  /// The gradients of weight and bias accumulate.
  void backward(Context&, const Saved&, const Gradients&) const;

 private:
  Parameter* weight_;
  Parameter* bias_;
  double eps_;
};

}  // namespace weft

#pragma once
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/tensor.h"

namespace weft::kernels {

// T rows, C columns. var is biased (divides by C). arXiv 1607.06450. Backward, with xhat = (x - mean) rstd and g = dy weight:
// dx = rstd (g - mean(g) - xhat mean(g xhat)); dweight += sum over rows of dy xhat; dbias += sum over rows of dy.

/// y = (x - mean) rstd weight + bias.
struct LayerNormForward {
  Tensor x;       // (T, C)
  Tensor weight;  // (C)
  Tensor bias;    // (C)
  double eps = 1e-5;
  Tensor y;     // (T, C), overwritten; may be x
  Tensor mean;  // (T), sum type
  Tensor rstd;  // (T), sum type: 1 / sqrt(var + eps)
};
void layer_norm_forward(Context&, const LayerNormForward&);

struct LayerNormBackward {
  Tensor dy;         // (T, C)
  Tensor x;          // (T, C)
  Tensor weight;     // (C)
  Tensor mean;       // (T)
  Tensor rstd;       // (T)
  Tensor dx_add;     // (T, C) or absent: added to dx (the residual stream of a pre-norm block)
  Tensor dx;         // (T, C), overwritten; may be dy or dx_add
  Tensor dweight;    // (C), sum type; accumulates
  Tensor dbias;      // (C), sum type; accumulates
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void layer_norm_backward(Context&, LayerNormBackward);

/// z = residual + dropout(x); y = (z - mean) rstd weight + bias: one pass over a row. mean and rstd are those of z as it is stored (rounded
/// to bfloat16), since backward meets it so.
struct ResidualNormForward {
  Tensor x;         // (T, C)
  Tensor residual;  // (T, C)
  RowDropout dropout;
  Tensor weight;  // (C)
  Tensor bias;    // (C)
  double eps = 1e-5;
  Tensor z;     // (T, C), overwritten; may be x
  Tensor y;     // (T, C), overwritten
  Tensor mean;  // (T), sum type
  Tensor rstd;  // (T), sum type
};
void residual_norm_forward(Context&, const ResidualNormForward&);

/// dz = (gradient of the norm at z) + dz_add; dresidual = dz; dx = dropout(dz) with the mask of the forward.
struct ResidualNormBackward {
  Tensor dy;      // (T, C)
  Tensor z;       // (T, C)
  Tensor weight;  // (C)
  Tensor mean;    // (T)
  Tensor rstd;    // (T)
  Tensor dz_add;  // (T, C) or absent
  RowDropout dropout;
  Tensor dresidual;  // (T, C), overwritten; may be dy or dz_add
  Tensor dx;         // (T, C), overwritten, may be dy or dz_add but not dresidual; absent: nothing is dropped, and dresidual is dx too
  Tensor dweight;    // (C), sum type; accumulates
  Tensor dbias;      // (C), sum type; accumulates
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void residual_norm_backward(Context&, ResidualNormBackward);

}  // namespace weft::kernels

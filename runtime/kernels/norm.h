#pragma once
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/tensor.h"

namespace weft::kernels {

// A norm, with or without the residual that it follows, in one pass over a row. T rows, C columns.
// Layer norm, arXiv 1607.06450: var is biased (divides by C). RMS norm, arXiv 1910.07467, is the same with a mean of 0 and without bias;
// it is what absent tensors ask for: mean, bias and dbias.

/// z = residual + dropout(x), or x itself; y = (z - mean) rstd weight + bias. mean and rstd are those of z as it is stored (rounded to
/// bfloat16), since backward meets it so.
struct NormForward {
  Tensor x;            // (T, C)
  Tensor residual;     // (T, C); or absent: z is x, and nothing is dropped
  RowDropout dropout;  // of x
  Tensor weight;       // (C)
  Tensor bias;         // (C); RMS norm: absent
  double eps = 1e-5;
  Tensor z;     // (T, C), overwritten; may be x. Absent without a residual
  Tensor y;     // (T, C), overwritten; without a residual it may be x
  Tensor mean;  // (T), sum type; RMS norm: absent
  Tensor rstd;  // (T), sum type: 1 / sqrt(var + eps); RMS norm: 1 / sqrt(mean(z^2) + eps)
};
void norm_forward(Context&, const NormForward&);

/// With xhat = (z - mean) rstd and g = dy weight: dz = rstd (g - mean(g) - xhat mean(g xhat)) + dz_add, RMS norm without mean(g); dx =
/// dropout(dz) with the mask of the forward; dweight += sum over rows of dy xhat; dbias += sum over rows of dy.
struct NormBackward {
  Tensor dy;      // (T, C)
  Tensor z;       // (T, C); x where there was no residual
  Tensor weight;  // (C)
  Tensor mean;    // (T); RMS norm: absent
  Tensor rstd;    // (T)
  Tensor dz_add;  // (T, C) or absent: what reaches z beside the norm
  RowDropout dropout;
  Tensor dz;         // (T, C), overwritten; may be dy or dz_add: the gradient of the residual too
  Tensor dx;         // (T, C), overwritten, may be dy or dz_add but not dz; absent: nothing is dropped, and dz is dx too
  Tensor dweight;    // (C), sum type; accumulates
  Tensor dbias;      // (C), sum type; accumulates. RMS norm: absent
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void norm_backward(Context&, NormBackward);

}  // namespace weft::kernels

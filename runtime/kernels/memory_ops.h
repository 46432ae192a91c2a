#pragma once
#include "runtime/context.h"
#include "runtime/tensor.h"

namespace weft::kernels {

/// y = x in the dtype of y (any two floating dtypes). Same shape; rows may be strided.
struct Convert {
  Tensor x;
  Tensor y;  // overwritten
};
void convert(Context&, const Convert&);

/// y = 0. Contiguous, any dtype.
struct FillZero {
  Tensor y;  // overwritten
};
void fill_zero(Context&, const FillZero&);

/// Exchanges two flat tensors of one dtype (master weights and their average).
struct Exchange {
  Tensor a, b;  // (N), contiguous
};
void exchange(Context&, const Exchange&);

/// y += x: two flat tensors of one sum type (the gradient of a pass onto those before it).
struct Accumulate {
  Tensor x;  // (N), contiguous
  Tensor y;  // (N), contiguous, accumulates
};
void accumulate(Context&, const Accumulate&);

/// y[to[i]] = x[from[i]] for i < M. An absent index is 0, 1, 2, ...; without any, M = N. Rows may be strided. x and y must not overlap.
struct CopyRows {
  Tensor x;     // (N, C)
  Tensor from;  // (M) int32, or absent
  Tensor y;     // (N', C), dtype of x
  Tensor to;    // (M) int32, or absent
};
void copy_rows(Context&, const CopyRows&);

}  // namespace weft::kernels

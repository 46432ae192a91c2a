#pragma once
#include "runtime/context.h"
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace weft {

/// Dropout of the rows of one micro-batch: the site, and the global coordinates of each row. p == 0, absent coordinates or a context that
/// does not train: nothing is dropped.
struct RowDropout {
  Dropout site;
  Tensor sample;     // (T) int32
  Tensor positions;  // (T) int32
};
inline bool drops(const Context& ctx, const RowDropout& dropout) {
  return ctx.training && dropout.site.p > 0 && dropout.sample.defined();
}

}  // namespace weft

namespace weft::kernels {

/// y = dropout(x). Its own backward: dx = dropout(dy) with the same mask.
struct DropoutApply {
  Tensor x;  // (T, C)
  RowDropout dropout;
  Tensor y;  // (T, C), overwritten; may be x
};
void dropout(Context&, const DropoutApply&);

/// y = residual + dropout(x).
struct ResidualForward {
  Tensor x;         // (T, C)
  Tensor residual;  // (T, C)
  RowDropout dropout;
  Tensor y;  // (T, C), overwritten; may be x or residual
};
void residual_forward(Context&, const ResidualForward&);

}  // namespace weft::kernels

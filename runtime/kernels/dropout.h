#pragma once
#include "runtime/context.h"
#include "runtime/random.h"
#include "runtime/tensor.h"

namespace weft {

/// Dropout of the rows of one micro-batch: the site, and the global coordinates of each row. p == 0, absent coordinates or a context that
/// does not train: nothing is dropped.
struct RowDropout {
  Dropout site;
  Tensor sample;                  // (T) int32
  Tensor positions;               // (T) int32
  std::int64_t first_column = 0;  // global number of column 0 of x, where x is a rank's piece of a wider matrix
};
inline bool drops(const Context& ctx, const RowDropout& dropout) {
  return ctx.training && dropout.site.p > 0 && dropout.sample.defined();
}

}  // namespace weft

namespace weft::kernels {

/// y = residual + dropout(x). Without a residual it is its own backward: dx = dropout(dy) with the same mask.
struct DropoutApply {
  Tensor x;         // (T, C)
  Tensor residual;  // (T, C), or absent
  RowDropout dropout;
  Tensor y;  // (T, C), overwritten; may be x or residual
};
void dropout(Context&, const DropoutApply&);

}  // namespace weft::kernels

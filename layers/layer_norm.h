#pragma once
#include "layers/parameter.h"
#include "runtime/context.h"

namespace weft {

struct LayerNormConfig {
  std::int64_t hidden_size = 0;
  double eps = 1e-5;
};

/// y = (x - mean) / sqrt(var + eps) * weight + bias, over the last dim; var is biased (divides by C). arXiv 1607.06450.
class LayerNorm {
 public:
  struct Saved {
    Tensor x;           // (T, C), the caller's, saved until backward
    Tensor mean, rstd;  // (T), sum type
  };

  LayerNorm(const LayerNormConfig&, ParameterScope);  // registers weight (C) = 1 and bias (C) = 0

  /// y (T, C) is overwritten; it may be x only when no backward follows. Takes mean and rstd from saved memory.
  void forward(Context&, Tensor x, Tensor y, Saved&) const;
  /// dx (T, C) is overwritten and may be dy or dx_add. dx_add (T, C) or absent is added to it: the residual stream of a pre-norm block. The
  /// gradients of weight and bias accumulate.
  void backward(Context&, Tensor dy, const Saved&, Tensor dx_add, Tensor dx) const;

 private:
  Parameter* weight_;
  Parameter* bias_;
  double eps_;
};

}  // namespace weft

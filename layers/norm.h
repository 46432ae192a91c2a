#pragma once
#include "layers/parameter.h"
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"

namespace weft {

enum class NormKind { kLayerNorm, kRmsNorm };

struct NormConfig {
  std::int64_t hidden_size = 0;
  double eps = 1e-5;
  NormKind kind = NormKind::kLayerNorm;
};

/// Layer norm: y = (z - mean) / sqrt(var + eps) * weight + bias, over the last dim; var is biased (divides by C). arXiv 1607.06450. RMS
/// norm: y = z / sqrt(mean(z^2) + eps) * weight. arXiv 1910.07467. z is x itself, or, where x joins a residual, z = residual + dropout(x),
/// in the same pass over a row.
class Norm {
 public:
  struct Input {
    Tensor x;            // (T, C)
    Tensor residual;     // (T, C) or absent
    RowDropout dropout;  // of x; only with a residual
    Tensor z;            // (T, C), overwritten; may be x. Absent without a residual
  };
  struct Saved {
    Tensor z;           // (T, C), the caller's, saved until backward; x where there was no residual
    Tensor mean, rstd;  // (T), sum type; RMS norm has no mean
    RowDropout dropout;
  };

  Norm(const NormConfig&, ParameterScope);  // registers weight (C) = 1; layer norm also bias (C) = 0

  /// y (T, C) is overwritten; it may be x only when there is no residual and no backward follows. Takes mean and rstd from saved memory.
  void forward(Context&, const Input&, Tensor y, Saved&) const;

  struct Gradients {
    Tensor dy;      // (T, C)
    Tensor dz_add;  // (T, C) or absent: the gradient that reaches z beside the norm
    Tensor dz;      // (T, C), overwritten; may be dy or dz_add. The gradient of the residual too
    Tensor dx;      // (T, C), overwritten, may be dy or dz_add; absent when nothing is dropped: then dz is dx too
  };
  /// The gradients of weight and bias accumulate.
  void backward(Context&, const Saved&, const Gradients&) const;

 private:
  Parameter* weight_;
  Parameter* bias_ = nullptr;  // RMS norm: none
  double eps_;
};

}  // namespace weft

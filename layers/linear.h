#pragma once
#include <vector>

#include "layers/parameter.h"
#include "runtime/context.h"
#include "runtime/kernels/activation.h"

namespace weft {

/// Whether an input gradient is overwritten, or added to what is there (the residual stream, the gradient of the encoder's output).
enum class Write { kOverwrite, kAdd };

struct LinearConfig {
  std::int64_t in_features = 0;
  std::vector<ParameterScope::NamedRows> outputs;  // name and width of each projection; several share one storage and one matmul
  bool bias = true;
  double gain = 1;  // of the Xavier-uniform initial values, each projection by its own shape
};

/// y = activation(x W^T + b). Registers "<output>.weight" (out, in), decayed, and "<output>.bias" (out) for each output.
class Linear {
 public:
  Linear(const LinearConfig&, ParameterScope);

  /// x (T, in) -> y (T, out), overwritten; its dtype is that of x or its sum type. Rows may be strided. Nothing is saved but the caller's
  /// x.
  void forward(Context&, Tensor x, Tensor y) const;
  /// The same with an activation; pre_activation (T, out) or absent gets x W^T + b.
  void forward(Context&, Tensor x, Tensor y, Activation, Tensor pre_activation) const;
  /// dy (T, out), of x W^T + b -> dx (T, in), in the dtype of dy or its sum type; dx is not dy. All of x is read before dx is written, so
  /// dx may be x. The gradients of weight and bias accumulate.
  void backward(Context&, Tensor dy, Tensor x, Tensor dx, Write = Write::kOverwrite) const;

 private:
  Parameter* weight_;
  Parameter* bias_ = nullptr;
};

}  // namespace weft

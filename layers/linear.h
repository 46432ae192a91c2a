#pragma once
#include <vector>

#include "layers/parameter.h"
#include "layers/tensor_parallel.h"
#include "runtime/context.h"
#include "runtime/kernels/activation.h"

namespace weft {

/// What tensor parallelism cuts of a projection. kOutputs (column-parallel): each rank computes a part of the columns of y from all of x.
/// kInputs (row-parallel): each rank reads a part of the columns of x, and y is a partial sum that the caller lets `leave`.
enum class LinearCut { kNone, kOutputs, kInputs };

struct LinearConfig {
  std::int64_t in_features = 0;                    // of the whole layer, as the widths of the outputs
  std::vector<ParameterScope::NamedRows> outputs;  // name and width of each projection; several share one storage and one matmul
  bool bias = true;
  double gain = 1;  // of the Xavier-uniform initial values, each projection by its own shape
  LinearCut cut = LinearCut::kNone;
  TensorParallel tensor_parallel = {};
};

/// y = activation(x W^T + b). Registers "<output>.weight" (out, in), decayed, and "<output>.bias" (out) for each output; a rank holds its
/// piece of what is cut. With kInputs the bias is whole, and the first rank alone adds it.
class Linear {
 public:
  Linear(const LinearConfig&, ParameterScope);

  /// x (T, in) -> y (T, out), overwritten, both as wide as this rank's piece; the dtype of y is that of x or its sum type. Rows may be
  /// strided. Nothing is saved but the caller's x.
  void forward(Context&, Tensor x, Tensor y) const;
  /// The same with an activation; pre_activation (T, out) or absent gets x W^T + b.
  void forward(Context&, Tensor x, Tensor y, Activation, Tensor pre_activation) const;
  /// dy (T, out), of x W^T + b -> dx (T, in), in the dtype of dy or its sum type; dx is not dy. All of x is read before dx is written, so
  /// dx may be x. The gradients of weight and bias accumulate.
  void backward(Context&, Tensor dy, Tensor x, Tensor dx, Write = Write::kOverwrite) const;

 private:
  Parameter* weight_;
  Parameter* bias_ = nullptr;
  bool adds_bias_ = false;
};

}  // namespace weft

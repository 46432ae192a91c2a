#pragma once
#include "layers/linear.h"
#include "layers/parameter.h"
#include "layers/tensor_parallel.h"
#include "runtime/kernels/dropout.h"
#include "runtime/rows.h"

namespace weft {

/// swiglu is silu with a gate (runtime/kernels/swiglu.h); the others are elementwise.
enum class FfnActivation { kRelu, kGelu, kGeluTanh, kSwiglu };

struct FeedForwardConfig {
  std::int64_t hidden_size = 0;  // C
  std::int64_t ffn_size = 0;     // F
  FfnActivation activation = FfnActivation::kRelu;
  bool bias = true;
  double activation_dropout = 0;
};

/// y = fc2(dropout(activation(fc1(x)))), or with swiglu y = down_proj(dropout(silu(gate_proj(x)) up_proj(x))): gate and up are one product.
/// Each rank of tensor parallelism holds F / tp of the inner columns.
class FeedForward {
 public:
  struct Saved {
    Tensor x;    // (T, C), the caller's, saved until backward
    Tensor pre;  // (T, F / tp), fc1(x); absent with relu, whose derivative the sign of h tells. swiglu: (T, 2F / tp), gate and up
    Tensor h;    // (T, F / tp), after activation and dropout
    RowDropout dropout;
  };

  FeedForward(const FeedForwardConfig&, ParameterScope, TensorParallel = {});

  /// y (T, C) is overwritten. Of the rows only their coordinates count, for dropout.
  void forward(Context&, Tensor x, const Rows&, Tensor y, Saved&) const;
  /// dx (T, C) may be dy: all of dy is read before dx is written. What forward saved is used up.
  void backward(Context&, Tensor dy, const Saved&, Tensor dx, Write = Write::kOverwrite) const;

 private:
  std::int64_t ffn_size_;  // of this rank, F / tp
  FfnActivation activation_;
  Linear in_;   // fc1, or gate_proj and up_proj
  Linear out_;  // fc2, or down_proj
  Dropout dropout_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

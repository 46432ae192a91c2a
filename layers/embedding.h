#pragma once
#include "layers/parameter.h"
#include "layers/tensor_parallel.h"
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/rows.h"

namespace weft {

struct EmbeddingConfig {
  double scale = 1;    // of the token's vector: sqrt(C) or 1
  double dropout = 0;  // of the sum with the position
};

/// y = dropout(scale W[token] + P[position]). W and P are registered by the model, since stacks share them: W (V, C) may also be the output
/// matrix; P (max_length, C) is learned, a constant (sinusoidal) or absent. With tensor parallelism a rank holds the rows of W of its piece
/// of the vocabulary, and all of P; whoever has a token computes its row, and the sum over the ranks is y.
class Embedding {
 public:
  struct Saved {
    Rows rows;
  };

  Embedding(const EmbeddingConfig&, Parameter& token, Parameter* position, ParameterScope,
            TensorParallel = {});  // the scope names the dropout

  /// y (T, C) is overwritten.
  void forward(Context&, const Rows&, Tensor y, Saved&) const;
  /// Adds the gradients of W and, when learned, P. A token matrix that is not trained has none, nor have its positions.
  void backward(Context&, Tensor dy, const Saved&) const;

 private:
  RowDropout row_dropout(const Rows&) const;

  Parameter* token_;
  Parameter* position_;
  double scale_;
  Dropout dropout_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

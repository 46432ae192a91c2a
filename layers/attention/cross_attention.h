#pragma once
#include "layers/attention/dot_product_attention.h"
#include "layers/linear.h"
#include "layers/parameter.h"
#include "layers/tensor_parallel.h"

namespace weft {

/// y = out_proj(attention(q_proj(x), k_proj(memory), v_proj(memory))), memory being the output of the encoder. k_proj and v_proj are two
/// parts of one parameter and one matmul, in a call of its own: per pass in training, once in decoding. With tensor parallelism
/// widths are those of the heads of this rank.
class CrossAttention {
 public:
  struct Saved {
    Tensor x;  // (Tq, C), the caller's, saved until backward
    DotProductAttention::Saved attention;
  };

  CrossAttention(const AttentionConfig&, ParameterScope, TensorParallel = {});

  std::int64_t keys_values_width() const { return 2 * attention_.key_width(); }
  /// memory (Tk, C) -> keys_values (Tk, keys_values_width), overwritten.
  void project(Context&, Tensor memory, Tensor keys_values) const;
  /// The two halves of what `project` wrote, to be read by the sequences of `rows`.
  KeyValues keys(Tensor keys_values, const Rows&) const;
  /// y (Tq, C) is overwritten. Sequence b of the queries attends to sequence b of the keys.
  void forward(Context&, Tensor x, const Rows&, const KeyValues&, Tensor y, Saved&) const;

  /// See DotProductAttention::weights.
  void weights(Context& ctx, const Saved& saved, Tensor weights) const { attention_.weights(ctx, saved.attention, weights); }

  struct Gradients {
    Tensor dx;            // (Tq, C), as `write` says; may be dy
    Tensor dkeys_values;  // (Tk, keys_values_width), overwritten
  };
  void backward(Context&, Tensor dy, const Saved&, const Gradients&, Write = Write::kOverwrite) const;
  /// dmemory (Tk, C), sum type: added to, since every decoder layer reads the same memory. With tensor parallelism it gains this rank's
  /// part of the sum; the model adds up the ranks once, after all layers.
  void project_backward(Context&, Tensor dkeys_values, Tensor memory, Tensor dmemory) const;

 private:
  DotProductAttention attention_;
  Linear query_projection_;
  Linear key_value_projection_;
  Linear out_projection_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

#pragma once
#include "layers/attention/dot_product_attention.h"
#include "layers/linear.h"
#include "layers/parameter.h"
#include "layers/tensor_parallel.h"

namespace weft {

/// Where a self-attention that decodes puts the keys and values of its new rows, and where it then reads all of them.
struct KeyValueCache {
  Tensor append;  // (T, 2 key_width), rows may be strided: keys and values of the new rows go here
  KeyValues all;  // what the new rows attend to, the new rows among it
};

/// y = out_proj(attention(q_proj(x), k_proj(x), v_proj(x))). q_proj, k_proj and v_proj are three parts of one parameter and one matmul.
class SelfAttention {
 public:
  struct Saved {
    Tensor x;    // (T, C), the caller's, saved until backward
    Tensor qkv;  // (T, query_width + 2 key_width), of this rank
    DotProductAttention::Saved attention;
  };

  SelfAttention(const AttentionConfig&, ParameterScope, TensorParallel = {});

  /// y (T, C) is overwritten. Keys and values are those of x itself, or, with a cache, are appended to it and read from there; no backward
  /// follows then.
  void forward(Context&, Tensor x, const Rows&, Tensor y, Saved&, const KeyValueCache* = nullptr) const;
  /// dx (T, C) may be dy: all of dy is read before dx is written.
  void backward(Context&, Tensor dy, const Saved&, Tensor dx, Write = Write::kOverwrite) const;

 private:
  DotProductAttention attention_;
  Linear projections_;
  Linear out_projection_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

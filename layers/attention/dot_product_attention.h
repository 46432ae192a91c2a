#pragma once
#include "layers/tensor_parallel.h"
#include "runtime/context.h"
#include "runtime/kernels/attention.h"
#include "runtime/random.h"
#include "runtime/rows.h"

namespace weft {

struct AttentionConfig {
  std::int64_t hidden_size = 0;  // C = H D
  std::int64_t num_heads = 0;    // H
  bool bias = true;              // of the four projections
  bool causal = false;           // self-attention only
  double dropout = 0;            // of the attention weights
  std::int64_t max_length = 0;   // model.max_length of the key side: part of the dropout counter
};

/// The heads of one rank: whole heads, in order, and the columns that belong to them. Fails with exit 64 when the ranks cannot share them.
AttentionConfig heads_of_rank(const AttentionConfig&, const TensorParallel&);

/// Where attention reads. Of rows only begin, length and max_length count: this batch's own rows, or a cache.
struct KeyValues {
  Tensor k, v;  // (Tk, C), rows may be strided
  Rows rows;
};

/// Multi-head attention of packed rows, without parameters: per sequence and head softmax(q k^T / sqrt(D)) v, arXiv 1706.03762. Heads are
/// read where the projections wrote them; nothing is copied apart.
class DotProductAttention {
 public:
  struct Saved {
    Tensor q;  // (Tq, C), rows may be strided
    KeyValues keys;
    Rows rows;   // of the queries
    Tensor y;    // (Tq, C)
    Tensor lse;  // (Tq, H), sum type
  };

  /// `site` keys the dropout of the weights. Fails with exit 64 when num_heads does not divide hidden_size.
  DotProductAttention(const AttentionConfig&, RandomKey site);

  /// y (Tq, C) is overwritten. q, k, v and y are the caller's and stay until backward; lse is taken from saved memory.
  void forward(Context&, Tensor q, const KeyValues&, const Rows& query_rows, Tensor y, Saved&) const;
  struct Gradients {
    Tensor dq, dk, dv;  // as q, k, v; overwritten; rows may be strided
  };
  void backward(Context&, Tensor dy, const Saved&, const Gradients&) const;
  /// What a forward without causal mask weighted the keys with, averaged over the heads: weights (Tq, S) float32, overwritten, S the
  /// longest sequence of keys; row i has the weights of its sequence's keys, then zeros. Computed on the host: for a look at a finished
  /// output.
  void weights(Context&, const Saved&, Tensor weights) const;

 private:
  Tensor heads(Tensor x) const;  // (T, C) -> (T, H, D)
  AttentionRows attention_rows(const Rows& queries, const Rows& keys) const;
  AttentionDropout dropout(const Rows& queries) const;

  std::int64_t num_heads_;
  std::int64_t head_dim_;
  bool causal_;
  Dropout dropout_;
  std::int64_t key_stride_;
};

}  // namespace weft

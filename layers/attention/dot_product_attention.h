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

/// Where attention reads. Of rows only begin, length and max_length count: this batch's own rows, or a cache.
struct KeyValues {
  Tensor k, v;  // (Tk, W), rows may be strided
  Rows rows;
};

/// Multi-head attention of packed rows, without parameters: per sequence and head softmax(q k^T / sqrt(D)) v, arXiv 1706.03762. Heads are
/// read where the projections wrote them; nothing is copied apart. With tensor parallelism each rank has H / tp whole heads, in order, and
/// the W = C / tp columns that belong to them.
class DotProductAttention {
 public:
  struct Saved {
    Tensor q;  // (Tq, W), rows may be strided
    KeyValues keys;
    Rows rows;   // of the queries
    Tensor y;    // (Tq, W)
    Tensor lse;  // (Tq, H / tp), sum type
  };

  /// `site` keys the dropout of the weights. Fails with exit 64 when num_heads does not divide hidden_size, or the ranks not num_heads.
  DotProductAttention(const AttentionConfig&, RandomKey site, TensorParallel = {});

  /// y (Tq, W) is overwritten. q, k, v and y are the caller's and stay until backward; lse is taken from saved memory.
  void forward(Context&, Tensor q, const KeyValues&, const Rows& query_rows, Tensor y, Saved&) const;
  struct Gradients {
    Tensor dq, dk, dv;  // as q, k, v; overwritten; rows may be strided
  };
  void backward(Context&, Tensor dy, const Saved&, const Gradients&) const;
  /// What a forward without causal mask weighted the keys with, averaged over the heads of all ranks: weights (Tq, S) float32, overwritten,
  /// S the longest sequence of keys; row i has the weights of its sequence's keys, then zeros. Computed on the host: for a look at a
  /// finished output.
  void weights(Context&, const Saved&, Tensor weights) const;

 private:
  Tensor heads(Tensor x) const;  // (T, W) -> (T, H / tp, D)
  AttentionRows attention_rows(const Rows& queries, const Rows& keys) const;
  AttentionDropout dropout(const Rows& queries) const;

  std::int64_t num_heads_;  // of this rank
  std::int64_t head_dim_;
  bool causal_;
  Dropout dropout_;
  std::int64_t key_stride_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

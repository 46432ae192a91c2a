#pragma once
#include "layers/parameter.h"
#include "layers/tensor_parallel.h"
#include "runtime/context.h"
#include "runtime/kernels/attention.h"
#include "runtime/random.h"
#include "runtime/rows.h"

namespace weft {

/// Constants that self-attention knows positions by (runtime/kernels/attention.h); the model registers them. Null: none.
struct PositionTables {
  const Parameter* rotation = nullptr;  // (max_length, D)
  const Parameter* slopes = nullptr;    // (H / tp)
  RotaryPairing pairing = RotaryPairing::kHalf;
};

struct AttentionConfig {
  std::int64_t hidden_size = 0;   // C
  std::int64_t num_heads = 0;     // H
  std::int64_t num_kv_heads = 0;  // H_kv, which divides H: query heads h H_kv / H share a head of keys and values; 0: H
  std::int64_t head_dim = 0;      // D; 0: C / H
  bool bias = true;               // of the four projections
  bool causal = false;            // self-attention only
  double dropout = 0;             // of the attention weights
  std::int64_t max_length = 0;    // model.max_length of the key side: part of the dropout counter
  PositionTables positions;       // self-attention only

  std::int64_t dim() const { return head_dim > 0 || num_heads == 0 ? head_dim : hidden_size / num_heads; }
  std::int64_t kv_heads() const { return num_kv_heads > 0 ? num_kv_heads : num_heads; }
  std::int64_t query_width() const { return num_heads * dim(); }  // of q, and of what attention gives
  std::int64_t key_width() const { return kv_heads() * dim(); }   // of k, and of v
};

/// Where attention reads. Of rows only begin, length and max_length count: this batch's own rows, or a cache.
struct KeyValues {
  Tensor k, v;  // (Tk, key_width), rows may be strided
  Rows rows;
};

/// Multi-head attention of packed rows, without parameters: per sequence and head softmax(q k^T / sqrt(D)) v, arXiv 1706.03762. Heads are
/// read where the projections wrote them; nothing is copied apart. With tensor parallelism each rank has H / tp and H_kv / tp whole heads,
/// in order; the widths of a rank are those of its heads.
class DotProductAttention {
 public:
  struct Saved {
    Tensor q;  // (Tq, query_width), rows may be strided
    KeyValues keys;
    Rows rows;   // of the queries
    Tensor y;    // (Tq, query_width)
    Tensor lse;  // (Tq, H / tp), sum type
  };

  /// `site` keys the dropout of the weights. Fails with exit 64 when the sizes do not go together, or the ranks cannot share the heads.
  DotProductAttention(const AttentionConfig&, RandomKey site, TensorParallel = {});

  std::int64_t query_width() const { return num_heads_ * head_dim_; }  // of this rank
  std::int64_t key_width() const { return num_kv_heads_ * head_dim_; }

  /// y (Tq, query_width) is overwritten. q, k, v and y are the caller's and stay until backward; lse is taken from saved memory.
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
  Tensor heads(Tensor x) const;  // (T, heads D) -> (T, heads, D)
  AttentionPositions positions() const;
  AttentionRows attention_rows(const Rows& queries, const Rows& keys) const;
  AttentionDropout dropout(const Rows& queries) const;

  std::int64_t num_heads_, num_kv_heads_;  // of this rank
  std::int64_t head_dim_;
  bool causal_;
  Dropout dropout_;
  std::int64_t key_stride_;
  PositionTables positions_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

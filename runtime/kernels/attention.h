#pragma once
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/tensor.h"

namespace weft {

/// Where the queries and keys of each of B sequences lie.
struct AttentionRows {
  Tensor query_begin, query_length;  // (B) int32: rows of q
  Tensor key_begin, key_length;      // (B) int32: rows of k and v; a length of 0 gives y = 0 and lse = -inf
  std::int64_t max_query_length = 0;
  std::int64_t max_key_length = 0;
};

/// Dropout of the attention weights: element (query row, head, key position) has the counter {step, sample[row], position[row], column / 4}
/// with column = rows.first_column + head * key_stride + key position within its sequence; key_stride is model.max_length of the key side.
struct AttentionDropout {
  RowDropout rows;  // of the queries, Tq
  std::int64_t key_stride = 0;
};

}  // namespace weft

namespace weft::kernels {

/// Per sequence and head h: p = softmax(scale q k^T), y = dropout(p) v. Query head h reads key head h / (H / H_kv). `causal`: aligned to
/// the last key, query i of n sees keys 0 .. key_length - n + i. Heads are read in place: rows may be strided.
struct AttentionForward {
  Tensor q;  // (Tq, H, D)
  Tensor k;  // (Tk, H_kv, D)
  Tensor v;  // (Tk, H_kv, D)
  AttentionRows rows;
  bool causal = false;
  double scale = 1;
  AttentionDropout dropout;
  Tensor y;          // (Tq, H, D), overwritten
  Tensor lse;        // (Tq, H), sum type: log-sum-exp of the scaled scores; or absent (decoding)
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void attention_forward(Context&, AttentionForward);

/// The weights are computed again from q, k and lse. With dp = dropout(dy v^T): ds = p (dp - sum_j(y dy)); dq = scale ds k; dk = scale ds^T
/// q; dv = dropout(p)^T dy. Rows of k and v that no sequence names keep what dk and dv held before; every row is named once in training.
struct AttentionBackward {
  Tensor dy;               // (Tq, H, D)
  Tensor q, k, v, y, lse;  // as in forward
  AttentionRows rows;
  bool causal = false;
  double scale = 1;
  AttentionDropout dropout;
  Tensor dq;         // (Tq, H, D), overwritten
  Tensor dk;         // (Tk, H_kv, D), overwritten
  Tensor dv;         // (Tk, H_kv, D), overwritten
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void attention_backward(Context&, AttentionBackward);

}  // namespace weft::kernels

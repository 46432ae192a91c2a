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

/// Which numbers of a head a rotation takes as a pair: x_i with x_(i + D/2) (GPT-NeoX, Llama), or x_2i with x_(2i + 1) (the paper).
enum class RotaryPairing { kHalf, kInterleaved };

/// What attention knows of positions. Of a sequence with n queries and m keys, key j is at position j and query i at position m - n + i:
/// both ends meet, so that a query that is decoded is where its key is; a query before the first key is rotated as if it stood there.
/// Absent tensors: nothing.
struct AttentionPositions {
  /// Rotary positions, arXiv 2104.09864: (P, D), sum type, a row per position: the cosines of the D/2 angles, then the sines. The pairs of
  /// q and k are turned by the angles of their positions before the product.
  Tensor rotation;
  RotaryPairing pairing = RotaryPairing::kHalf;
  /// ALiBi, arXiv 2108.12409: (H), sum type: slope |position of the query - position of the key| is taken from the scaled score.
  Tensor slopes;
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
  AttentionPositions positions;
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
  AttentionPositions positions;
  AttentionDropout dropout;
  Tensor dq;         // (Tq, H, D), overwritten
  Tensor dk;         // (Tk, H_kv, D), overwritten
  Tensor dv;         // (Tk, H_kv, D), overwritten
  Tensor workspace;  // (bytes) uint8, taken by the launcher
};
void attention_backward(Context&, AttentionBackward);

}  // namespace weft::kernels

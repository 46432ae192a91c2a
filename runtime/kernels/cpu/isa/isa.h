#pragma once
#include <cstdint>

// What the kernels that are compiled once per instruction set are handed, and their table. Nothing here may have a body: an inline function
// compiled with AVX-512 must not be the copy that the linker keeps for the rest of the program. So no tensors, no std, raw pointers only.
namespace weft::cpu {

enum class Storage : std::uint8_t { kFloat32, kBFloat16 };

/// Row-major, a stride in elements from row to row. Null data: absent.
struct Matrix {
  Storage storage;
  void* data;
  std::int64_t rows, columns, stride;
};

/// Pointers without a type are vectors in the storage of the matrices beside them.
struct RowDropout {
  bool active;
  std::uint32_t key_low, key_high, step, threshold;
  float scale;
  const std::int32_t* sample;
  const std::int32_t* positions;
  std::int64_t first_column;  // global number of column 0
};

/// z = residual + dropout(x), y = norm(z). Without residual: z is x, and neither dropout nor `z` is there.
struct NormForward {
  Matrix x, residual;
  const void *weight, *bias;
  float eps;
  RowDropout dropout;
  Matrix z, y;
  float *mean, *rstd;
};

/// dz = norm'(dy) + dz_add; dx = dropout(dz). `partials`: see norm_backward_partials.
struct NormBackward {
  Matrix dy, z;
  const void* weight;
  const float *mean, *rstd;
  Matrix dz_add;
  RowDropout dropout;
  Matrix dz, dx;
  float *dweight, *dbias;
  float* partials;
};

/// y = residual + dropout(x); without residual y = dropout(x).
struct DropoutApply {
  Matrix x, residual;
  RowDropout dropout;
  Matrix y;
};

enum class Curve : std::uint8_t { kRelu, kGelu, kGeluTanh };

/// y = curve(x), or dx = dy curve'(x) where dy is there.
struct Activate {
  Curve curve;
  Matrix dy, x, y;
};

/// h = dropout(silu(gate) up).
struct SwigluForward {
  Matrix gate_up;
  RowDropout dropout;
  Matrix h;
};

struct SwigluBackward {
  Matrix dh, gate_up;
  RowDropout dropout;
  Matrix dgate_up;
};

/// dbias += column sums of dy.
struct BiasGradient {
  Matrix dy;
  float *dbias, *partials;
};

struct EmbeddingForward {
  const std::int32_t *tokens, *positions;
  const void *weight, *position_table;
  std::int64_t first_token, num_tokens;  // what `weight` has rows of
  float scale;
  RowDropout dropout;
  Matrix y;
};

struct EmbeddingBackward {
  Matrix dy;
  const std::int32_t *tokens, *positions, *by_token;
  float scale;
  RowDropout dropout;
  std::int64_t first_token, num_tokens;  // what `dweight` has rows of
  float *dweight, *dposition;
};

/// Rows of heads: element (row, head, d) is at row * stride + head * head_stride + d.
struct Heads {
  void* data;
  std::int64_t stride, head_stride;
};

struct Attention {
  Storage storage;
  std::int64_t sequences, heads, key_heads, head_dim, max_query, max_key;
  const std::int32_t *query_begin, *query_length, *key_begin, *key_length;
  bool causal;
  float scale;
  const float* rotation;  // (P, D) cosines, then sines; or null
  bool pairs_neighbours;  // of the rotation: x_2i with x_(2i + 1); else x_i with x_(i + D/2)
  const float* slopes;    // (H), or null
  RowDropout dropout;     // sample and positions of the query rows
  std::int64_t key_stride;
  Heads q, k, v, y, dy, dq, dk, dv;  // y: written by forward, read by backward; what follows it: backward only
  float* lse;                        // (Tq, H); may be absent in forward
  float* workspace;
  int threads;  // that the workspace has room for
};

/// Of each row of a piece of the vocabulary, into `statistics` (rows, 5): SoftmaxStatistics.
struct RowStatistics {
  std::int64_t rows, columns, first;
  const float* logits;
  const std::int32_t* labels;
  double* statistics;
};

struct CrossEntropy {
  Storage storage;  // of dlogits
  std::int64_t rows, columns, first, vocab_size;
  const float* logits;
  const std::int32_t* labels;
  const double* statistics;  // of whole rows, where the columns are a piece; or null
  const float* weights;
  double label_smoothing, loss_scale;
  void* dlogits;
  double *sums, *row_sums;  // (4); (rows, 4)
};

struct Adam {
  Storage storage;  // of value
  std::int64_t size;
  const float* gradient;
  float *master, *exp_avg, *exp_avg_sq;
  void* value;
  float beta1, beta2, one_minus_beta1, one_minus_beta2, eps, weight_decay, clip_scale, learning_rate, correction1, correction2;
  bool decoupled;
};

struct Sgd {
  Storage storage;
  std::int64_t size;
  const float* gradient;
  float *master, *momentum_buffer;
  void* value;
  float momentum, weight_decay, clip_scale, learning_rate;
  bool nesterov;
};

struct Ema {
  std::int64_t size;
  const float* master;
  float* average;
  float decay, one_minus_decay;
};

/// y = [relu](op(a) op(b) + bias), or y += op(a) op(b), in float32. Strides in elements, from row to row as stored.
struct Gemm {
  std::int64_t m, n, k;
  bool transpose_a, transpose_b;
  const float *a, *b;     // (M, K) and (K, N), or as stored when transposed: (K, M) and (N, K)
  const float* packed_b;  // what pack made of b, in place of it; or null
  const float* bias;      // (N), or null
  bool relu, accumulate;
  float* y;  // (M, N)
  std::int64_t a_stride, b_stride, y_stride;
  float* workspace;
  int threads;  // that the workspace has room for
};

/// A whole b as gemm reads it fastest: panels of columns, each with its rows one after another, in float32 whatever its storage.
struct PackGemm {
  Matrix b;
  bool transpose_b;
  float* packed;
};

/// y = x, each in its storage.
struct Convert {
  Matrix x, y;
};

/// The kernels of one instruction set. All are cut over OpenMP threads, and give the same bits for any number of them.
struct Isa {
  void (*norm_forward)(const NormForward&);
  void (*norm_backward)(const NormBackward&);
  std::int64_t (*norm_backward_partials)(std::int64_t rows, std::int64_t columns);  // floats
  void (*dropout)(const DropoutApply&);
  void (*activate)(const Activate&);
  void (*swiglu_forward)(const SwigluForward&);
  void (*swiglu_backward)(const SwigluBackward&);
  void (*bias_gradient)(const BiasGradient&);
  std::int64_t (*bias_gradient_partials)(std::int64_t rows, std::int64_t columns);  // floats
  void (*embedding_forward)(const EmbeddingForward&);
  void (*embedding_backward)(const EmbeddingBackward&);
  void (*attention_forward)(const Attention&);
  void (*attention_backward)(const Attention&);
  std::int64_t (*attention_floats)(const Attention&);  // workspace of one thread, for either direction
  void (*softmax_statistics)(const RowStatistics&);
  void (*cross_entropy)(const CrossEntropy&);
  void (*sum_of_squares)(const float* x, std::int64_t size, double* sum, double* partials);
  std::int64_t (*sum_of_squares_partials)(std::int64_t size);  // doubles
  void (*adam)(const Adam&);
  void (*sgd)(const Sgd&);
  void (*ema)(const Ema&);
  void (*convert)(const Convert&);
  void (*gemm)(const Gemm&);
  std::int64_t (*gemm_floats)(const Gemm&);  // workspace; of the addresses only whether packed_b is null matters
  void (*pack_gemm)(const PackGemm&);
  std::int64_t (*pack_gemm_floats)(std::int64_t n, std::int64_t k);
  // For the test of their errors against libm: y = exp(x), by the loops of lanes.h and by the registers of vector.h.
  void (*exponential)(const float* x, float* y, std::int64_t size);
  void (*register_exponential)(const float* x, float* y, std::int64_t size);
};

namespace avx2 {
extern const Isa isa;
}
namespace avx512 {
extern const Isa isa;
}

}  // namespace weft::cpu

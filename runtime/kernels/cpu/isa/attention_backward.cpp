#include <omp.h>

#include "runtime/kernels/cpu/isa/attention_tile.h"

namespace weft::cpu::WEFT_ISA {
namespace {

/// The workspace of a thread.
struct Buffers {
  float *keys, *keys_transposed, *values_transposed, *dk, *dv;  // of the group
  float *q, *dy, *dq, *p, *dp;                                  // of kQueries queries
  std::uint32_t* words;
};

Buffers buffers_of(const Attention& a, float* workspace) {
  const std::int64_t keys = padded(a.max_key), dim = padded(a.head_dim);
  Buffers b{};
  b.keys = workspace;
  b.keys_transposed = b.keys + keys * dim;
  b.values_transposed = b.keys_transposed + keys * dim;
  b.dk = b.values_transposed + keys * dim;
  b.dv = b.dk + keys * dim;
  b.q = b.dv + keys * dim;
  b.dy = b.q + kQueries * dim;
  b.dq = b.dy + kQueries * dim;
  b.p = b.dq + kQueries * dim;
  b.dp = b.p + kQueries * keys;
  b.words = reinterpret_cast<std::uint32_t*>(b.dp + kQueries * keys);
  return b;
}

template <class S>
float dot(const S* x, const S* y, std::int64_t size) {
  float sum = 0;
#pragma omp simd reduction(+ : sum)
  for (std::int64_t d = 0; d < size; ++d) sum += load(x[d]) * load(y[d]);
  return sum;
}

/// From the scores in p and the gradient of the weights in dp: p = dropout(softmax), dp = the gradient of the scores, in whole vectors.
template <class S>
void gradient_row(const Attention& a, const Group& g, std::int64_t head, std::int64_t query, std::int64_t r, const Buffers& b) {
  const std::int64_t row = g.query_begin + query;
  const std::int32_t visible = visible_keys(a, g, query), width = static_cast<std::int32_t>(g.padded_keys);
  float *p = b.p + r * g.padded_keys, *dp = b.dp + r * g.padded_keys;
  if (visible == 0) {
    for (std::int32_t j = 0; j < width; ++j) p[j] = dp[j] = 0;
    return;
  }
  const float scale = a.scale, lse = a.lse[row * a.heads + head];
  const float delta = dot(head_row<S>(a.y, row, head), head_row<S>(a.dy, row, head), g.dim);
  const std::uint32_t* words = a.dropout.active ? row_words(a.dropout, row, head * a.key_stride, width, b.words) : nullptr;
  for (std::int32_t j = 0; j < width; j += kLanes) {
    const Vector weight = exponential(count_from(j) < visible ? scale * load_vector(p + j) - lse : Vector{} - __builtin_inff());
    Vector left = load_vector(dp + j), dropped = weight;
    if (a.dropout.active) {
      const Vector factor = kept_factors(a.dropout, words + j);
      left *= factor;
      // Out of reach of a fused multiply-subtract: for a single key left - delta is 0, not what was rounded off.
      __asm__("" : "+x"(left));
      dropped *= factor;
    }
    store_vector(dp + j, weight * (left - delta));
    store_vector(p + j, dropped);
  }
}

template <class S>
void queries(const Attention& a, const Group& g, std::int64_t head, std::int64_t first, const Buffers& b) {
  const std::int64_t rows = min(kQueries, g.queries - first), keys = g.padded_keys, dim = g.padded_dim;
  load_rows<S>(a.q, g.query_begin + first, rows, head, g, b.q);
  rotate_rows(a, g, position_of_query(g, first), rows, kForth, b.q);
  load_rows<S>(a.dy, g.query_begin + first, rows, head, g, b.dy);
  multiply({b.q, dim, 1, b.keys_transposed, keys, b.p, keys, rows, g.dim, keys, false});
  multiply({b.dy, dim, 1, b.values_transposed, keys, b.dp, keys, rows, g.dim, keys, false});
  for (std::int64_t r = 0; r < rows; ++r) subtract_distance(a, g, head, first + r, b.p + r * keys);
  for (std::int64_t r = 0; r < rows; ++r) gradient_row<S>(a, g, head, first + r, r, b);
  multiply({b.p, 1, keys, b.dy, dim, b.dv, dim, g.keys, rows, dim, true});
  multiply({b.dp, 1, keys, b.q, dim, b.dk, dim, g.keys, rows, dim, true});
  multiply({b.dp, keys, 1, b.keys, dim, b.dq, dim, rows, g.keys, dim, false});
  rotate_rows(a, g, position_of_query(g, first), rows, kBack, b.dq);
  for (std::int64_t r = 0; r < rows; ++r) {
    S* dq = head_row<S>(a.dq, g.query_begin + first + r, head);
#pragma omp simd
    for (std::int64_t d = 0; d < g.dim; ++d) store(dq[d], a.scale * b.dq[r * dim + d]);
  }
}

template <class S>
void store_rows(const Group& g, const float* from, float scale, S* to, std::int64_t stride) {
  for (std::int64_t j = 0; j < g.keys; ++j) {
#pragma omp simd
    for (std::int64_t d = 0; d < g.dim; ++d) store(to[j * stride + d], scale * from[j * g.padded_dim + d]);
  }
}

template <class S>
void prefetch(const Attention& a, std::int64_t sequence) {
  prefetch_rows<S>(a.k, a.key_begin[sequence], a.key_length[sequence], a.key_heads * a.head_dim);
  prefetch_rows<S>(a.v, a.key_begin[sequence], a.key_length[sequence], a.key_heads * a.head_dim);
  prefetch_rows<S>(a.q, a.query_begin[sequence], a.query_length[sequence], a.heads * a.head_dim);
  prefetch_rows<S>(a.y, a.query_begin[sequence], a.query_length[sequence], a.heads * a.head_dim);
  prefetch_rows<S>(a.dy, a.query_begin[sequence], a.query_length[sequence], a.heads * a.head_dim);
}

template <class S>
void one_group(const Attention& a, std::int64_t index, float* workspace) {
  const Group g = group_of(a, index);
  if (g.key_head == 0 && g.sequence + 1 < a.sequences) prefetch<S>(a, g.sequence + 1);
  const Buffers b = buffers_of(a, workspace);
  load_rows<S>(a.v, g.key_begin, g.keys, g.key_head, g, b.keys);
  transpose(b.keys, g, b.values_transposed);
  load_rows<S>(a.k, g.key_begin, g.keys, g.key_head, g, b.keys);
  rotate_rows(a, g, 0, g.keys, kForth, b.keys);
  transpose(b.keys, g, b.keys_transposed);
  for (std::int64_t i = 0; i < g.keys * g.padded_dim; ++i) b.dk[i] = b.dv[i] = 0;
  const std::int64_t heads = a.heads / a.key_heads;
  for (std::int64_t head = g.key_head * heads; head < (g.key_head + 1) * heads; ++head) {
    for (std::int64_t first = 0; first < g.queries; first += kQueries) queries<S>(a, g, head, first, b);
  }
  rotate_rows(a, g, 0, g.keys, kBack, b.dk);
  store_rows(g, b.dk, a.scale, head_row<S>(a.dk, g.key_begin, g.key_head), a.dk.stride);
  store_rows(g, b.dv, 1.f, head_row<S>(a.dv, g.key_begin, g.key_head), a.dv.stride);
}

}  // namespace

void attention_backward(const Attention& a) {
  const std::int64_t groups = a.sequences * a.key_heads, room = attention_floats(a);
#pragma omp parallel for schedule(dynamic, 4) num_threads(a.threads) if (groups > 1)
  for (std::int64_t index = 0; index < groups; ++index) {
    float* workspace = a.workspace + omp_get_thread_num() * room;
    if (a.storage == Storage::kBFloat16) {
      one_group<bf16>(a, index, workspace);
    } else {
      one_group<float>(a, index, workspace);
    }
  }
}

std::int64_t attention_floats(const Attention& a) {
  const std::int64_t keys = padded(a.max_key), dim = padded(a.head_dim);
  return padded(5 * keys * dim + 3 * kQueries * dim + 2 * kQueries * keys + words_room(keys));
}

}  // namespace weft::cpu::WEFT_ISA

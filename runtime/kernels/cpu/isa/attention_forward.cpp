#include <omp.h>

#include "runtime/kernels/cpu/isa/attention_tile.h"

namespace weft::cpu::WEFT_ISA {
namespace {

/// The workspace of a thread.
struct Buffers {
  float *keys_transposed, *values, *q, *scores, *y;
  std::uint32_t* words;
};

Buffers buffers_of(const Attention& a, float* workspace) {
  const std::int64_t keys = padded(a.max_key), dim = padded(a.head_dim);
  Buffers b{};
  b.keys_transposed = workspace;
  b.values = b.keys_transposed + keys * dim;
  b.q = b.values + keys * dim;
  b.y = b.q + kQueries * dim;
  b.scores = b.y + kQueries * dim;
  b.words = reinterpret_cast<std::uint32_t*>(b.scores + kQueries * keys);
  return b;
}

/// scores = softmax(scale scores) of one row of `width` (whole vectors), zero from `visible` on; returns the log-sum-exp.
float softmax_row(float* scores, float scale, std::int32_t visible, std::int32_t width) {
  if (visible == 0) {
    for (std::int32_t j = 0; j < width; ++j) scores[j] = 0;
    return -__builtin_inff();
  }
  const Vector nothing = Vector{} - __builtin_inff();
  Vector maxima = nothing, sums{};
  for (std::int32_t j = 0; j < width; j += kLanes) {
    const Vector score = count_from(j) < visible ? scale * load_vector(scores + j) : nothing;
    store_vector(scores + j, score);
    maxima = score > maxima ? score : maxima;
  }
  const float max = largest_of(maxima);
  for (std::int32_t j = 0; j < width; j += kLanes) {
    const Vector e = exponential(load_vector(scores + j) - max);
    store_vector(scores + j, e);
    sums += e;
  }
  const float sum = sum_of(sums), inverse = 1.f / sum;
  for (std::int32_t j = 0; j < width; j += kLanes) store_vector(scores + j, load_vector(scores + j) * inverse);
  return max + static_cast<float>(__builtin_log(static_cast<double>(sum)));
}

template <class S>
void queries(const Attention& a, const Group& g, std::int64_t head, std::int64_t first, const Buffers& b) {
  const std::int64_t rows = min(kQueries, g.queries - first);
  load_rows<S>(a.q, g.query_begin + first, rows, head, g, b.q);
  rotate_rows(a, g, position_of_query(g, first), rows, kForth, b.q);
  multiply({b.q, g.padded_dim, 1, b.keys_transposed, g.padded_keys, b.scores, g.padded_keys, rows, g.dim, g.padded_keys, false});
  for (std::int64_t r = 0; r < rows; ++r) {
    const std::int64_t row = g.query_begin + first + r;
    float* scores = b.scores + r * g.padded_keys;
    subtract_distance(a, g, head, first + r, scores);
    const float lse = softmax_row(scores, a.scale, visible_keys(a, g, first + r), static_cast<std::int32_t>(g.padded_keys));
    if (a.lse != nullptr) a.lse[row * a.heads + head] = lse;
    if (a.dropout.active) drop_weights(a, row, head, g.padded_keys, b.words, scores);
  }
  multiply({b.scores, g.padded_keys, 1, b.values, g.padded_dim, b.y, g.padded_dim, rows, g.keys, g.padded_dim, false});
  for (std::int64_t r = 0; r < rows; ++r) {
    S* y = head_row<S>(a.y, g.query_begin + first + r, head);
#pragma omp simd
    for (std::int64_t d = 0; d < g.dim; ++d) store(y[d], b.y[r * g.padded_dim + d]);
  }
}

template <class S>
void prefetch(const Attention& a, std::int64_t sequence) {
  prefetch_rows<S>(a.k, a.key_begin[sequence], a.key_length[sequence], a.key_heads * a.head_dim);
  prefetch_rows<S>(a.v, a.key_begin[sequence], a.key_length[sequence], a.key_heads * a.head_dim);
  prefetch_rows<S>(a.q, a.query_begin[sequence], a.query_length[sequence], a.heads * a.head_dim);
}

template <class S>
void one_group(const Attention& a, std::int64_t index, float* workspace) {
  const Group g = group_of(a, index);
  if (g.key_head == 0 && g.sequence + 1 < a.sequences) prefetch<S>(a, g.sequence + 1);
  if (g.queries == 0) return;
  const Buffers b = buffers_of(a, workspace);
  load_rows<S>(a.k, g.key_begin, g.keys, g.key_head, g, b.values);
  rotate_rows(a, g, 0, g.keys, kForth, b.values);
  transpose(b.values, g, b.keys_transposed);
  load_rows<S>(a.v, g.key_begin, g.keys, g.key_head, g, b.values);
  const std::int64_t heads = a.heads / a.key_heads;
  for (std::int64_t head = g.key_head * heads; head < (g.key_head + 1) * heads; ++head) {
    for (std::int64_t first = 0; first < g.queries; first += kQueries) queries<S>(a, g, head, first, b);
  }
}

}  // namespace

void attention_forward(const Attention& a) {
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

}  // namespace weft::cpu::WEFT_ISA

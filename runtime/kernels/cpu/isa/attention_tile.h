#pragma once
#include "runtime/kernels/cpu/isa/kernels.h"
#include "runtime/kernels/cpu/isa/philox.h"
#include "runtime/kernels/cpu/isa/small_matmul.h"

// What attention forward and backward share: one (sequence, key head) at a time, kQueries queries at a time, in float, in the workspace of
// a thread. Keys lie transposed, so that the scores of a query are a row.
namespace weft::cpu::WEFT_ISA {

inline constexpr std::int64_t kQueries = 32;

/// One sequence and key head, the sizes with their paddings.
struct Group {
  std::int64_t sequence, key_head;
  std::int64_t query_begin, queries, key_begin, keys;
  std::int64_t dim, padded_dim, padded_keys;
};

inline Group group_of(const Attention& a, std::int64_t index) {
  const std::int64_t sequence = index / a.key_heads;
  const std::int64_t keys = a.key_length[sequence];
  return {
      sequence,           index % a.key_heads, a.query_begin[sequence], a.query_length[sequence], a.key_begin[sequence], keys, a.head_dim,
      padded(a.head_dim), padded(keys)};
}

/// Keys that query i of the group sees: causal is aligned to the last key.
inline std::int32_t visible_keys(const Attention& a, const Group& g, std::int64_t i) {
  const std::int64_t seen = a.causal ? min(g.keys - g.queries + i + 1, g.keys) : g.keys;
  return static_cast<std::int32_t>(seen < 0 ? 0 : seen);
}

template <class S>
inline S* head_row(const Heads& heads, std::int64_t row, std::int64_t head) {
  return at<S>(heads.data, row * heads.stride + head * heads.head_stride);
}

/// Asks for all heads of some rows, to be in the second-level cache when their turn comes: the pieces of one head lie too far apart for the
/// processor to see the pattern.
template <class S>
inline void prefetch_rows(const Heads& heads, std::int64_t first, std::int64_t rows, std::int64_t columns) {
  constexpr std::int64_t kMostRows = 64;  // of a long sequence the first are enough
  for (std::int64_t r = 0; r < min(rows, kMostRows); ++r) {
    const S* row = head_row<S>(heads, first + r, 0);
    for (std::int64_t c = 0; c < columns; c += 64 / static_cast<std::int64_t>(sizeof(S))) {
      // Not the builtin: GCC takes a function of nothing but prefetches for one without effect, and drops its call.
      __asm__ volatile("prefetcht1 %0" : : "m"(row[c]));
    }
  }
}

/// to (rows, padded_dim): rows of a head, zero beyond dim.
template <class S>
inline void load_rows(const Heads& heads, std::int64_t first, std::int64_t rows, std::int64_t head, const Group& g, float* to) {
  for (std::int64_t r = 0; r < rows; ++r) {
    const S* from = head_row<S>(heads, first + r, head);
    float* row = to + r * g.padded_dim;
#pragma omp simd
    for (std::int64_t d = 0; d < g.dim; ++d) row[d] = load(from[d]);
    for (std::int64_t d = g.dim; d < g.padded_dim; ++d) row[d] = 0;
  }
}

/// Turns the pairs of a row (dim) by the angles of a position, or back by their negatives.
inline void rotate_row(const Attention& a, std::int64_t position, float direction, float* x) {
  const std::int64_t half = a.head_dim / 2;
  const float *cosines = a.rotation + (position < 0 ? 0 : position) * a.head_dim, *sines = cosines + half;
  if (a.pairs_neighbours) {
#pragma omp simd
    for (std::int64_t i = 0; i < half; ++i) {
      const float first = x[2 * i], second = x[2 * i + 1], sine = direction * sines[i];
      x[2 * i] = first * cosines[i] - second * sine;
      x[2 * i + 1] = second * cosines[i] + first * sine;
    }
    return;
  }
#pragma omp simd
  for (std::int64_t i = 0; i < half; ++i) {
    const float first = x[i], second = x[i + half], sine = direction * sines[i];
    x[i] = first * cosines[i] - second * sine;
    x[i + half] = second * cosines[i] + first * sine;
  }
}

/// The same for rows (rows, padded_dim) at positions from `first` on; nothing where attention knows no rotation.
inline void rotate_rows(const Attention& a, const Group& g, std::int64_t first, std::int64_t rows, float direction, float* x) {
  if (a.rotation == nullptr) return;
  for (std::int64_t r = 0; r < rows; ++r) rotate_row(a, first + r, direction, x + r * g.padded_dim);
}
inline constexpr float kForth = 1.f, kBack = -1.f;

/// Query i stands where its key is.
inline std::int64_t position_of_query(const Group& g, std::int64_t i) {
  return g.keys - g.queries + i;
}

/// Takes slope times distance from the scores of a query, which are still to be scaled; nothing where attention has no slopes.
inline void subtract_distance(const Attention& a, const Group& g, std::int64_t head, std::int64_t query, float* scores) {
  if (a.slopes == nullptr) return;
  const float slope = a.slopes[head] / a.scale;
  const auto position = static_cast<std::int32_t>(position_of_query(g, query)), keys = static_cast<std::int32_t>(g.keys);
#pragma omp simd
  for (std::int32_t j = 0; j < keys; ++j) {
    const float distance = static_cast<float>(position - j);
    scores[j] -= slope * (distance < 0 ? -distance : distance);
  }
}

/// to (dim, padded_keys): the rows of (keys, padded_dim) as columns, zero beyond the keys.
inline void transpose(const float* from, const Group& g, float* to) {
  for (std::int64_t d = 0; d < g.dim; ++d) {
    float* row = to + d * g.padded_keys;
    for (std::int64_t j = 0; j < g.keys; ++j) row[j] = from[j * g.padded_dim + d];
    for (std::int64_t j = g.keys; j < g.padded_keys; ++j) row[j] = 0;
  }
}

/// What dropout multiplies a vector of weights by.
inline Vector kept_factors(const RowDropout& dropout, const std::uint32_t* words) {
  return load_words(words) >= dropout.threshold ? Vector{} + dropout.scale : Vector{};
}

/// Multiplies the first `count` weights of query row `row` and `head` by what dropout leaves of them. `room` has room for the
/// words (words_room).
inline void drop_weights(const Attention& a, std::int64_t row, std::int64_t head, std::int64_t width, std::uint32_t* room, float* weights) {
  const std::uint32_t* words = row_words(a.dropout, row, head * a.key_stride, width, room);
  for (std::int64_t j = 0; j < width; j += kLanes) {
    store_vector(weights + j, load_vector(weights + j) * kept_factors(a.dropout, words + j));
  }
}

inline std::int64_t words_room(std::int64_t padded_keys) {
  return padded_keys + kWordsAtOnce;
}

}  // namespace weft::cpu::WEFT_ISA

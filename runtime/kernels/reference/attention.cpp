#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/reference/rotary.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

/// The D numbers of one row and head.
template <class T>
T* head(const Tensor& x, std::int64_t r, std::int64_t h) {
  return x.as<T>() + r * x.stride(0) + h * x.stride(1);
}

template <class A, class B>
auto dot(const A* a, const B* b, std::int64_t size) {
  decltype(load(*a)) sum = 0;
  for (std::int64_t d = 0; d < size; ++d) sum += load(a[d]) * load(b[d]);
  return sum;
}

/// One query and head, where it stands, and the keys it sees: `keys` rows from `key_begin` on, of head `kv_head`.
struct Query {
  std::int64_t row, head, kv_head, position, key_begin, keys;
};

/// One sequence: its queries and keys.
struct Sequence {
  std::int64_t query_begin, queries, key_begin, keys;

  Sequence(const AttentionRows& rows, std::int64_t b)
      : query_begin(rows.query_begin.as<std::int32_t>()[b]),
        queries(rows.query_length.as<std::int32_t>()[b]),
        key_begin(rows.key_begin.as<std::int32_t>()[b]),
        keys(rows.key_length.as<std::int32_t>()[b]) {}

  /// Causal: aligned to the last key.
  template <class Arguments>
  Query query(const Arguments& a, std::int64_t i, std::int64_t h) const {
    const std::int64_t visible = a.causal ? std::clamp<std::int64_t>(keys - queries + i + 1, 0, keys) : keys;
    return {query_begin + i, h, h / (a.q.size(1) / a.k.size(1)), keys - queries + i, key_begin, visible};
  }
};

/// A head of q or k as the product meets it, turned by its position, in `to` (D).
template <class T>
const SumType<T>* rotated(const AttentionPositions& positions, std::int64_t position, const T* from, std::int64_t size, SumType<T>* to) {
  for (std::int64_t d = 0; d < size; ++d) to[d] = load(from[d]);
  rotate(positions, position, false, size, to);
  return to;
}

/// The scaled score of one query, turned already, and key j. `k` has room for a head.
template <class T, class Arguments>
SumType<T> score(const Arguments& a, const Query& query, const SumType<T>* q, std::int64_t j, SumType<T>* k) {
  using S = SumType<T>;
  const std::int64_t size = a.q.size(2);
  const S product = dot(q, rotated<T>(a.positions, j, head<T>(a.k, query.key_begin + j, query.kv_head), size, k), size);
  const S slope = a.positions.slopes.defined() ? a.positions.slopes.template as<S>()[query.head] : S(0);
  return S(a.scale) * product - slope * S(std::abs(query.position - j));
}

/// y and lse of one query and head. `p` has room for a number a key, and two heads behind them.
template <class T>
void attend(const AttentionForward& a, const Query& query, const DropoutMask& mask, SumType<T>* p) {
  using S = SumType<T>;
  const auto [row, h, kv_head, position, key_begin, keys] = query;
  const std::int64_t size = a.q.size(2);
  S *k = p + a.rows.max_key_length, *q = k + size;
  rotated<T>(a.positions, position, head<T>(a.q, row, h), size, q);
  S max = -std::numeric_limits<S>::infinity(), sum = 0;
  for (std::int64_t j = 0; j < keys; ++j) {
    p[j] = score<T>(a, query, q, j, k);
    max = std::max(max, p[j]);
  }
  for (std::int64_t j = 0; j < keys; ++j) {
    p[j] = std::exp(p[j] - max);
    sum += p[j];
  }
  if (a.lse.defined()) a.lse.as<S>()[row * a.q.size(1) + h] = keys > 0 ? max + std::log(sum) : max;
  for (std::int64_t j = 0; j < keys; ++j) p[j] = p[j] / sum * S(mask.factor(row, h * a.dropout.key_stride + j));
  for (std::int64_t d = 0; d < size; ++d) {
    S y = 0;
    for (std::int64_t j = 0; j < keys; ++j) y += p[j] * load(head<T>(a.v, key_begin + j, kv_head)[d]);
    head<T>(a.y, row, h)[d] = store<T>(y);
  }
}

/// Sums of one sequence and one head of k and v, over its query heads and queries: (max_key_length, D) each.
template <class S>
struct KeyGradients {
  S *dk, *dv;
};

template <class T>
void attend_backward(const AttentionBackward& a, const Query& query, const DropoutMask& mask, KeyGradients<SumType<T>> sums) {
  using S = SumType<T>;
  const auto [row, h, kv_head, position, key_begin, keys] = query;
  const std::int64_t size = a.q.size(2);
  const T* dy = head<T>(a.dy, row, h);
  const S lse = a.lse.as<S>()[row * a.q.size(1) + h], delta = dot(head<T>(a.y, row, h), dy, size);
  S *dq = sums.dv + a.rows.max_key_length * size, *k = dq + size, *q = k + size;  // (D) each, after the sums
  std::fill_n(dq, size, S(0));
  rotated<T>(a.positions, position, head<T>(a.q, row, h), size, q);
  for (std::int64_t j = 0; j < keys; ++j) {
    const T* v = head<T>(a.v, key_begin + j, kv_head);
    const S factor = S(mask.factor(row, h * a.dropout.key_stride + j));
    const S p = std::exp(score<T>(a, query, q, j, k) - lse);  // leaves the key in k
    const S dp = factor * dot(dy, v, size);
    const S ds = S(a.scale) * p * (dp - delta);
    for (std::int64_t d = 0; d < size; ++d) {
      dq[d] += ds * k[d];
      sums.dk[j * size + d] += ds * q[d];
      sums.dv[j * size + d] += factor * p * load(dy[d]);
    }
  }
  rotate(a.positions, position, true, size, dq);
  for (std::int64_t d = 0; d < size; ++d) head<T>(a.dq, row, h)[d] = store<T>(dq[d]);
}

}  // namespace

std::int64_t attention_forward_workspace(const AttentionForward& a) {
  return (a.rows.max_key_length + 2 * a.q.size(2)) * size_of(sum_type(a.q.dtype));
}

void attention_forward(Context& ctx, const AttentionForward& a) {
  const DropoutMask mask(ctx, a.dropout.rows);
  with_floating(a.q.dtype, [&]<class T>(T) {
    auto* p = reinterpret_cast<SumType<T>*>(a.workspace.data);
    for (std::int64_t b = 0; b < a.rows.query_begin.size(0); ++b) {
      const Sequence s(a.rows, b);
      for (std::int64_t i = 0; i < s.queries; ++i) {
        for (std::int64_t h = 0; h < a.q.size(1); ++h) attend<T>(a, s.query(a, i, h), mask, p);
      }
    }
  });
}

std::int64_t attention_backward_workspace(const AttentionBackward& a) {
  return (2 * a.rows.max_key_length + 3) * a.q.size(2) * size_of(sum_type(a.q.dtype));
}

void attention_backward(Context& ctx, const AttentionBackward& a) {
  const DropoutMask mask(ctx, a.dropout.rows);
  with_floating(a.q.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const std::int64_t size = a.q.size(2), kv_heads = a.k.size(1), group = a.q.size(1) / kv_heads;
    auto* begin = reinterpret_cast<S*>(a.workspace.data);
    const KeyGradients<S> sums{begin, begin + a.rows.max_key_length * size};
    for (std::int64_t b = 0; b < a.rows.query_begin.size(0); ++b) {
      const Sequence s(a.rows, b);
      for (std::int64_t kv_head = 0; kv_head < kv_heads; ++kv_head) {
        std::fill_n(sums.dk, s.keys * size, S(0));
        std::fill_n(sums.dv, s.keys * size, S(0));
        for (std::int64_t h = kv_head * group; h < (kv_head + 1) * group; ++h) {
          for (std::int64_t i = 0; i < s.queries; ++i) attend_backward<T>(a, s.query(a, i, h), mask, sums);
        }
        for (std::int64_t j = 0; j < s.keys; ++j) {
          rotate(a.positions, j, true, size, sums.dk + j * size);
          for (std::int64_t d = 0; d < size; ++d) {
            head<T>(a.dk, s.key_begin + j, kv_head)[d] = store<T>(sums.dk[j * size + d]);
            head<T>(a.dv, s.key_begin + j, kv_head)[d] = store<T>(sums.dv[j * size + d]);
          }
        }
      }
    }
  });
}

}  // namespace weft::kernels::reference

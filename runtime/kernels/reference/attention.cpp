#include <algorithm>
#include <cmath>
#include <limits>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

/// The D numbers of one row and head.
template <class T>
T* head(const Tensor& x, std::int64_t r, std::int64_t h) {
  return x.as<T>() + r * x.stride(0) + h * x.stride(1);
}

template <class T>
SumType<T> dot(const T* a, const T* b, std::int64_t size) {
  SumType<T> sum = 0;
  for (std::int64_t d = 0; d < size; ++d) sum += load(a[d]) * load(b[d]);
  return sum;
}

/// One query and head, and the keys it sees: `keys` rows from `key_begin` on, of head `kv_head`.
struct Query {
  std::int64_t row, head, kv_head, key_begin, keys;
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
    return {query_begin + i, h, h / (a.q.size(1) / a.k.size(1)), key_begin, visible};
  }
};

/// y and lse of one query and head. `p` has room for a number a key.
template <class T>
void attend(const AttentionForward& a, const Query& query, const DropoutMask& mask, SumType<T>* p) {
  using S = SumType<T>;
  const auto [row, h, kv_head, key_begin, keys] = query;
  const std::int64_t size = a.q.size(2);
  S max = -std::numeric_limits<S>::infinity(), sum = 0;
  for (std::int64_t j = 0; j < keys; ++j) {
    p[j] = S(a.scale) * dot(head<T>(a.q, row, h), head<T>(a.k, key_begin + j, kv_head), size);
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
  const auto [row, h, kv_head, key_begin, keys] = query;
  const std::int64_t size = a.q.size(2);
  const T *q = head<T>(a.q, row, h), *dy = head<T>(a.dy, row, h);
  const S lse = a.lse.as<S>()[row * a.q.size(1) + h], delta = dot(head<T>(a.y, row, h), dy, size);
  S* dq = sums.dv + a.rows.max_key_length * size;  // (D), after the sums
  std::fill_n(dq, size, S(0));
  for (std::int64_t j = 0; j < keys; ++j) {
    const T *k = head<T>(a.k, key_begin + j, kv_head), *v = head<T>(a.v, key_begin + j, kv_head);
    const S factor = S(mask.factor(row, h * a.dropout.key_stride + j));
    const S p = std::exp(S(a.scale) * dot(q, k, size) - lse);
    const S dp = factor * dot(dy, v, size);
    const S ds = S(a.scale) * p * (dp - delta);
    for (std::int64_t d = 0; d < size; ++d) {
      dq[d] += ds * load(k[d]);
      sums.dk[j * size + d] += ds * load(q[d]);
      sums.dv[j * size + d] += factor * p * load(dy[d]);
    }
  }
  for (std::int64_t d = 0; d < size; ++d) head<T>(a.dq, row, h)[d] = store<T>(dq[d]);
}

}  // namespace

std::int64_t attention_forward_workspace(const AttentionForward& a) {
  return a.rows.max_key_length * size_of(sum_type(a.q.dtype));
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
  return (2 * a.rows.max_key_length + 1) * a.q.size(2) * size_of(sum_type(a.q.dtype));
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

#include "runtime/kernels/attention.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

void check_rows(std::string_view kernel, const AttentionRows& rows) {
  require_dims(kernel, "query_begin", rows.query_begin, 1, {DType::kInt32});
  const Shape sequences = rows.query_begin.shape;
  require(kernel, "query_length", rows.query_length, sequences, DType::kInt32);
  require(kernel, "key_begin", rows.key_begin, sequences, DType::kInt32);
  require(kernel, "key_length", rows.key_length, sequences, DType::kInt32);
}

void check_dropout(const Context& ctx, std::string_view kernel, const AttentionDropout& dropout, const AttentionRows& rows,
                   std::int64_t queries) {
  require_dropout(kernel, dropout.rows, queries);
  require_that(!drops(ctx, dropout.rows) || dropout.key_stride >= rows.max_key_length, kernel,
               "dropout.key_stride is less than the longest sequence of keys");
}

void check_positions(std::string_view kernel, const AttentionPositions& positions, const AttentionRows& rows, const Tensor& q) {
  const DType sums = sum_type(q.dtype);
  if (positions.rotation.defined()) {
    require_that(q.size(2) % 2 == 0, kernel, "a head of an odd size has no pairs to rotate");
    require_dims(kernel, "rotation", positions.rotation, 2, {sums});
    require_contiguous(kernel, "rotation", positions.rotation, {positions.rotation.size(0), q.size(2)}, sums);
    require_that(positions.rotation.size(0) >= rows.max_key_length, kernel, "the longest sequence of keys has positions without rotation");
  }
  if (positions.slopes.defined()) require_contiguous(kernel, "slopes", positions.slopes, {q.size(1)}, sums);
}

/// Shapes of q (Tq, H, D), k and v (Tk, H_kv, D), and that H_kv divides H. Heads of a row are neighbours, rows may be strided.
void check_heads(std::string_view kernel, const Tensor& q, const Tensor& k, const Tensor& v) {
  require_dims(kernel, "q", q, 3, kFloating);
  require_dims(kernel, "k", k, 3, {q.dtype});
  require(kernel, "k", k, {k.size(0), k.size(1), q.size(2)}, q.dtype);
  require(kernel, "v", v, k.shape, q.dtype);
  require_that(k.size(1) > 0 && q.size(1) % k.size(1) == 0, kernel, "the heads of k do not divide the heads of q");
}

}  // namespace

void attention_forward(Context& ctx, AttentionForward a) {
  constexpr auto kName = "attention_forward";
  check_heads(kName, a.q, a.k, a.v);
  check_rows(kName, a.rows);
  check_dropout(ctx, kName, a.dropout, a.rows, a.q.size(0));
  check_positions(kName, a.positions, a.rows, a.q);
  require(kName, "y", a.y, a.q.shape, a.q.dtype);
  if (a.lse.defined()) require_contiguous(kName, "lse", a.lse, {a.q.size(0), a.q.size(1)}, sum_type(a.q.dtype));
  launch_with_workspace(ctx, &KernelTable::attention_forward, "attention workspace", a);
}

void attention_backward(Context& ctx, AttentionBackward a) {
  constexpr auto kName = "attention_backward";
  check_heads(kName, a.q, a.k, a.v);
  check_rows(kName, a.rows);
  check_dropout(ctx, kName, a.dropout, a.rows, a.q.size(0));
  check_positions(kName, a.positions, a.rows, a.q);
  require(kName, "dy", a.dy, a.q.shape, a.q.dtype);
  require(kName, "y", a.y, a.q.shape, a.q.dtype);
  require_contiguous(kName, "lse", a.lse, {a.q.size(0), a.q.size(1)}, sum_type(a.q.dtype));
  require(kName, "dq", a.dq, a.q.shape, a.q.dtype);
  require(kName, "dk", a.dk, a.k.shape, a.q.dtype);
  require(kName, "dv", a.dv, a.k.shape, a.q.dtype);
  launch_with_workspace(ctx, &KernelTable::attention_backward, "attention workspace", a);
}

}  // namespace weft::kernels

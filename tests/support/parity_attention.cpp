#include <algorithm>

#include <fmt/format.h>

#include "tests/support/parity_case.h"

namespace weft::test {
namespace {

struct Lengths {
  std::int32_t queries, keys;
};

struct Attended {
  std::string name;
  std::vector<Lengths> sequences;
  std::int64_t heads = 2, kv_heads = 2, size = 8;
  bool causal = false;
  double p = 0;
  double scale = 0.4;
  std::int32_t free_keys = 0;  // rows of k and v after each sequence that none names, as in a cache
  std::int64_t gap = 0;        // numbers between the rows of q, k, v, y and their gradients
  bool rotary = false, alibi = false;
  RotaryPairing pairing = RotaryPairing::kHalf;
};

/// The rows of the sequences, one after another, and how many there are of each side.
struct Layout {
  AttentionRows rows;
  std::int64_t queries = 0, keys = 0;
};

Layout lay_out(TestContext& ctx, const Attended& a) {
  Layout layout;
  std::vector<std::int32_t> query_begin, query_length, key_begin, key_length;
  for (const Lengths& s : a.sequences) {
    query_begin.push_back(static_cast<std::int32_t>(layout.queries));
    query_length.push_back(s.queries);
    key_begin.push_back(static_cast<std::int32_t>(layout.keys));
    key_length.push_back(s.keys);
    layout.queries += s.queries;
    layout.keys += s.keys + a.free_keys;
    layout.rows.max_query_length = std::max<std::int64_t>(layout.rows.max_query_length, s.queries);
    layout.rows.max_key_length = std::max<std::int64_t>(layout.rows.max_key_length, s.keys);
  }
  layout.rows.query_begin = ctx.ints(query_begin);
  layout.rows.query_length = ctx.ints(query_length);
  layout.rows.key_begin = ctx.ints(key_begin);
  layout.rows.key_length = ctx.ints(key_length);
  return layout;
}

/// (rows, heads, size), rows `gap` numbers apart.
struct Heads {
  Heads(TestContext& ctx, const Shape& shape, DType dtype, std::uint64_t seed, std::int64_t gap)
      : matrix(ctx, {shape[0], shape[1] * shape[2]}, dtype, seed, gap), heads(matrix.part.view(shape)) {}
  StridedMatrix matrix;
  Tensor heads;
};

kernels::AttentionForward arguments(TestContext& ctx, DType dtype, const Attended& a, const Layout& layout, const Tensor& y) {
  const RowDropout dropout = row_dropout(ctx, layout.queries, a.p);
  return {.q = Heads(ctx, {layout.queries, a.heads, a.size}, dtype, 1, a.gap).heads,
          .k = Heads(ctx, {layout.keys, a.kv_heads, a.size}, dtype, 2, a.gap).heads,
          .v = Heads(ctx, {layout.keys, a.kv_heads, a.size}, dtype, 3, a.gap).heads,
          .rows = layout.rows,
          .causal = a.causal,
          .scale = a.scale,
          .positions = attention_positions(ctx, dtype, a.rotary ? layout.rows.max_key_length : 0, a.size, a.alibi ? a.heads : 0, a.pairing),
          .dropout = {.rows = dropout, .key_stride = 201},
          .y = y,
          .lse = ctx.empty({layout.queries, a.heads}, sum_type(dtype))};
}

ParityCase forward_case(const Attended& a, bool with_lse) {
  return parity_case(fmt::format("attention_forward {}{}", a.name, with_lse ? "" : " without lse"), [=](TestContext& ctx, DType dtype) {
    const Layout layout = lay_out(ctx, a);
    const Heads y(ctx, {layout.queries, a.heads, a.size}, dtype, 4, a.gap);
    kernels::AttentionForward forward = arguments(ctx, dtype, a, layout, y.heads);
    std::vector<Output> outputs{y.matrix.whole};
    if (with_lse) {
      outputs.push_back(forward.lse);
    } else {
      forward.lse = Tensor();
    }
    kernels::attention_forward(ctx, forward);
    return outputs;
  });
}

ParityCase backward_case(const Attended& a) {
  return parity_case("attention_backward " + a.name, [a](TestContext& ctx, DType dtype) {
    const Layout layout = lay_out(ctx, a);
    const Heads y(ctx, {layout.queries, a.heads, a.size}, dtype, 4, a.gap), dy(ctx, y.heads.shape, dtype, 5, a.gap);
    kernels::AttentionForward f = arguments(ctx, dtype, a, layout, y.heads);
    f.workspace = ctx.zeros({reference_kernels().attention_forward.workspace_bytes(f)}, DType::kUInt8);
    reference_kernels().attention_forward.run(ctx, f);  // the same y and lse for both tables
    const Heads dq(ctx, f.q.shape, dtype, 6, a.gap), dk(ctx, f.k.shape, dtype, 7, a.gap), dv(ctx, f.v.shape, dtype, 8, a.gap);
    kernels::attention_backward(ctx, {.dy = dy.heads,
                                      .q = f.q,
                                      .k = f.k,
                                      .v = f.v,
                                      .y = f.y,
                                      .lse = f.lse,
                                      .rows = f.rows,
                                      .causal = f.causal,
                                      .scale = f.scale,
                                      .positions = f.positions,
                                      .dropout = f.dropout,
                                      .dq = dq.heads,
                                      .dk = dk.heads,
                                      .dv = dv.heads});
    return std::vector<Output>{dq.matrix.whole, dk.matrix.whole, dv.matrix.whole};
  });
}

Tensor heads_of(std::int64_t rows, DType dtype) {
  return Tensor(nullptr, {rows, 4, 16}, dtype);
}

/// One sequence of so many queries and keys.
AttentionRows rows_of(std::int64_t rows) {
  const Tensor one(nullptr, {1}, DType::kInt32);
  return {one, one, one, one, rows, rows};
}

std::int64_t forward_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  const Tensor x = heads_of(rows, dtype);
  return kernels.attention_forward.workspace_bytes({.q = x, .k = x, .v = x, .rows = rows_of(rows), .y = x});
}

std::int64_t backward_workspace(const KernelTable& kernels, DType dtype, std::int64_t rows) {
  const Tensor x = heads_of(rows, dtype), lse(nullptr, {rows, 4}, sum_type(dtype));
  return kernels.attention_backward.workspace_bytes(
      {.dy = x, .q = x, .k = x, .v = x, .y = x, .lse = lse, .rows = rows_of(rows), .dq = x, .dk = x, .dv = x});
}

}  // namespace

std::vector<ParityCase> attention_parity_cases() {
  std::vector<ParityCase> cases;
  for (const double p : {0.0, 0.3}) {
    const std::string suffix = p > 0 ? " dropout" : "";
    for (const Attended& a : std::vector<Attended>{
             {.name = "one by one" + suffix, .sequences = {{1, 1}}, .heads = 1, .kv_heads = 1, .size = 1, .p = p},
             {.name = "self" + suffix, .sequences = {{5, 5}, {1, 1}, {17, 17}, {3, 3}}, .p = p},
             {.name = "self causal" + suffix, .sequences = {{5, 5}, {1, 1}, {17, 17}}, .causal = true, .p = p, .gap = 32},
             {.name = "cross" + suffix, .sequences = {{3, 7}, {1, 2}, {6, 1}}, .size = 5, .p = p, .gap = 3},
             {.name = "causal, more keys than queries" + suffix, .sequences = {{1, 9}, {2, 5}}, .causal = true, .p = p, .free_keys = 4},
             {.name = "causal, fewer keys than queries" + suffix, .sequences = {{4, 2}}, .causal = true, .p = p},
             {.name = "grouped" + suffix, .sequences = {{4, 4}, {9, 9}}, .heads = 6, .kv_heads = 2, .size = 16, .causal = true, .p = p},
             {.name = "one kv head" + suffix, .sequences = {{4, 6}}, .heads = 3, .kv_heads = 1, .size = 64, .p = p},
             {.name = "long" + suffix, .sequences = {{70, 133}}, .size = 33, .causal = true, .p = p},
             {.name = "no keys, no queries" + suffix, .sequences = {{2, 0}, {0, 3}, {2, 2}}, .p = p},
             {.name = "large scores" + suffix, .sequences = {{5, 40}}, .p = p, .scale = 20},
             {.name = "rotary" + suffix, .sequences = {{5, 5}, {1, 1}, {40, 40}}, .causal = true, .p = p, .gap = 32, .rotary = true},
             {.name = "rotary neighbours, grouped" + suffix,
             .sequences = {{4, 4}, {33, 70}},
             .heads = 4,
             .size = 18,
             .p = p,
             .rotary = true,
             .pairing = RotaryPairing::kInterleaved},
             {.name = "rotary, cached" + suffix, .sequences = {{1, 9}, {1, 5}}, .causal = true, .p = p, .free_keys = 4, .rotary = true},
             {.name = "alibi" + suffix, .sequences = {{5, 5}, {37, 37}}, .heads = 3, .kv_heads = 3, .p = p, .gap = 5, .alibi = true},
             {.name = "alibi, causal, grouped" + suffix,
             .sequences = {{4, 4}, {1, 11}},
             .heads = 6,
             .size = 16,
             .causal = true,
             .p = p,
             .alibi = true},
             {.name = "no sequences" + suffix, .sequences = {}, .p = p},
         }) {
      cases.push_back(forward_case(a, true));
      cases.push_back(forward_case(a, false));
      cases.push_back(backward_case(a));
    }
  }
  cases.push_back(growing_workspace_case("attention_forward_workspace never falls", forward_workspace));
  cases.push_back(growing_workspace_case("attention_backward_workspace never falls", backward_workspace));
  return cases;
}

}  // namespace weft::test

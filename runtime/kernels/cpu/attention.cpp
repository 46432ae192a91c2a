#include <omp.h>

#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

Heads heads_of(const Tensor& tensor) {
  return {tensor.data, tensor.stride(0), tensor.stride(1)};
}

/// What both directions have in common.
template <class Arguments>
Attention attention_of(const Arguments& a) {
  Attention result{};
  result.storage = storage_of(a.q);
  result.sequences = a.rows.query_begin.size(0);
  result.heads = a.q.size(1);
  result.key_heads = a.k.size(1);
  result.head_dim = a.q.size(2);
  result.max_query = a.rows.max_query_length;
  result.max_key = a.rows.max_key_length;
  result.query_begin = a.rows.query_begin.template as<std::int32_t>();
  result.query_length = a.rows.query_length.template as<std::int32_t>();
  result.key_begin = a.rows.key_begin.template as<std::int32_t>();
  result.key_length = a.rows.key_length.template as<std::int32_t>();
  result.causal = a.causal;
  result.scale = static_cast<float>(a.scale);
  result.rotation = pointer<float>(a.positions.rotation);
  result.pairs_neighbours = a.positions.pairing == RotaryPairing::kInterleaved;
  result.slopes = pointer<float>(a.positions.slopes);
  result.key_stride = a.dropout.key_stride;
  result.q = heads_of(a.q);
  result.k = heads_of(a.k);
  result.v = heads_of(a.v);
  result.y = heads_of(a.y);
  result.lse = pointer<float>(a.lse);
  result.workspace = reinterpret_cast<float*>(a.workspace.data);
  result.threads = omp_get_max_threads();
  return result;
}

template <const Isa& isa, class Arguments>
std::int64_t workspace(const Arguments& a) {
  Attention sizes{};
  sizes.max_key = a.rows.max_key_length;
  sizes.head_dim = a.q.size(2);
  return omp_get_max_threads() * isa.attention_floats(sizes) * size_of(DType::kFloat32);
}

template <const Isa& isa>
void attention_forward(Context& ctx, const kernels::AttentionForward& a) {
  if (!is_fast(a.q.dtype)) return reference_kernels().attention_forward.run(ctx, a);
  Attention attention = attention_of(a);
  attention.dropout = dropout_of(ctx, a.dropout.rows);
  isa.attention_forward(attention);
}

template <const Isa& isa>
std::int64_t attention_forward_workspace(const kernels::AttentionForward& a) {
  return is_fast(a.q.dtype) ? workspace<isa>(a) : reference_kernels().attention_forward.workspace_bytes(a);
}

template <const Isa& isa>
void attention_backward(Context& ctx, const kernels::AttentionBackward& a) {
  if (!is_fast(a.q.dtype)) return reference_kernels().attention_backward.run(ctx, a);
  Attention attention = attention_of(a);
  attention.dropout = dropout_of(ctx, a.dropout.rows);
  attention.dy = heads_of(a.dy);
  attention.dq = heads_of(a.dq);
  attention.dk = heads_of(a.dk);
  attention.dv = heads_of(a.dv);
  isa.attention_backward(attention);
}

template <const Isa& isa>
std::int64_t attention_backward_workspace(const kernels::AttentionBackward& a) {
  return is_fast(a.q.dtype) ? workspace<isa>(a) : reference_kernels().attention_backward.workspace_bytes(a);
}

}  // namespace

template <const Isa& isa>
void install_attention(KernelTable& table) {
  table.attention_forward = {attention_forward<isa>, attention_forward_workspace<isa>};
  table.attention_backward = {attention_backward<isa>, attention_backward_workspace<isa>};
}

template void install_attention<avx2::isa>(KernelTable&);
template void install_attention<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

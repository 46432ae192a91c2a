#include "runtime/kernels/cpu/isa_arguments.h"

namespace weft::cpu {
namespace {

template <const Isa& isa>
void embedding_forward(Context& ctx, const kernels::EmbeddingForward& a) {
  if (!is_fast(a.y.dtype)) return reference_kernels().embedding_forward.run(ctx, a);
  isa.embedding_forward({.tokens = a.tokens.as<std::int32_t>(),
                         .positions = pointer<std::int32_t>(a.positions),
                         .weight = a.weight.data,
                         .position_table = a.position_table.data,
                         .first_token = a.piece.first,
                         .num_tokens = a.weight.size(0),
                         .scale = static_cast<float>(a.scale),
                         .dropout = dropout_of(ctx, a.dropout),
                         .y = matrix_of(a.y)});
}

template <const Isa& isa>
void embedding_backward(Context& ctx, const kernels::EmbeddingBackward& a) {
  if (!is_fast(a.dy.dtype)) return reference_kernels().embedding_backward.run(ctx, a);
  isa.embedding_backward({.dy = matrix_of(a.dy),
                          .tokens = a.tokens.as<std::int32_t>(),
                          .positions = pointer<std::int32_t>(a.positions),
                          .by_token = a.by_token.as<std::int32_t>(),
                          .scale = static_cast<float>(a.scale),
                          .dropout = dropout_of(ctx, a.dropout),
                          .first_token = a.piece.first,
                          .num_tokens = a.dweight.size(0),
                          .dweight = a.dweight.as<float>(),
                          .dposition = pointer<float>(a.dposition)});
}

}  // namespace

template <const Isa& isa>
void install_embedding(KernelTable& table) {
  table.embedding_forward = {embedding_forward<isa>};
  table.embedding_backward = {embedding_backward<isa>};
}

template void install_embedding<avx2::isa>(KernelTable&);
template void install_embedding<avx512::isa>(KernelTable&);

}  // namespace weft::cpu

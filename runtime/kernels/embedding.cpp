#include "runtime/kernels/embedding.h"

#include "runtime/kernels/check.h"
#include "runtime/kernels/launch.h"

namespace weft::kernels {
namespace {

void require_piece(const char* kernel, const VocabularyPiece& piece, std::int64_t rows) {
  const bool fits = piece.first >= 0 && (piece.vocab_size == 0 ? piece.first == 0 : piece.first + rows <= piece.vocab_size);
  require_that(fits, kernel, "the piece is not part of the vocabulary");
}

}  // namespace

void embedding_forward(Context& ctx, const EmbeddingForward& a) {
  constexpr auto kName = "embedding_forward";
  require_dims(kName, "weight", a.weight, 2, kFloating);
  require_contiguous(kName, "weight", a.weight, a.weight.shape, a.weight.dtype);
  require_dims(kName, "tokens", a.tokens, 1, {DType::kInt32});
  require_piece(kName, a.piece, a.weight.size(0));
  const std::int64_t rows = a.tokens.size(0), columns = a.weight.size(1);
  if (a.position_table.defined()) {
    require(kName, "positions", a.positions, {rows}, DType::kInt32);
    require_dims(kName, "position_table", a.position_table, 2, {a.weight.dtype});
    require_contiguous(kName, "position_table", a.position_table, {a.position_table.size(0), columns}, a.weight.dtype);
  }
  require_dropout(kName, a.dropout, rows);
  require_contiguous(kName, "y", a.y, {rows, columns}, a.weight.dtype);
  launch(ctx, &KernelTable::embedding_forward, a);
}

void embedding_backward(Context& ctx, const EmbeddingBackward& a) {
  constexpr auto kName = "embedding_backward";
  require_dims(kName, "dy", a.dy, 2, kFloating);
  require_contiguous(kName, "dy", a.dy, a.dy.shape, a.dy.dtype);
  const std::int64_t rows = a.dy.size(0), columns = a.dy.size(1);
  const DType sums = sum_type(a.dy.dtype);
  require(kName, "tokens", a.tokens, {rows}, DType::kInt32);
  require(kName, "by_token", a.by_token, {rows}, DType::kInt32);
  require_dims(kName, "dweight", a.dweight, 2, {sums});
  require_contiguous(kName, "dweight", a.dweight, {a.dweight.size(0), columns}, sums);
  require_piece(kName, a.piece, a.dweight.size(0));
  if (a.dposition.defined()) {
    require(kName, "positions", a.positions, {rows}, DType::kInt32);
    require_dims(kName, "dposition", a.dposition, 2, {sums});
    require_contiguous(kName, "dposition", a.dposition, {a.dposition.size(0), columns}, sums);
  }
  require_dropout(kName, a.dropout, rows);
  launch(ctx, &KernelTable::embedding_backward, a);
}

}  // namespace weft::kernels

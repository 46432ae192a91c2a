#include <algorithm>

#include "runtime/kernels/reference/access.h"
#include "runtime/kernels/reference/dropout_mask.h"
#include "runtime/kernels/table.h"

namespace weft::kernels::reference {
namespace {

/// The row of a token in the matrix of this piece of the vocabulary, which has `rows`; -1: another piece has it.
std::int64_t row_of(std::int32_t token, const VocabularyPiece& piece, std::int64_t rows) {
  const std::int64_t row = checked_index("embedding: token", token, piece.vocab_size == 0 ? rows : piece.vocab_size) - piece.first;
  return row >= 0 && row < rows ? row : -1;
}

}  // namespace

void embedding_forward(Context& ctx, const EmbeddingForward& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.weight.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    for (std::int64_t r = 0; r < a.y.size(0); ++r) {
      T* y = row<T>(a.y, r);
      const std::int64_t found = row_of(a.tokens.as<std::int32_t>()[r], a.piece, a.weight.size(0));
      if (found < 0) {
        std::fill_n(y, a.y.size(1), store<T>(S(0)));
        continue;
      }
      const T* weight = row<T>(a.weight, found);
      const T* position = nullptr;
      if (a.position_table.defined()) {
        const std::int32_t p = a.positions.as<std::int32_t>()[r];
        position = row<T>(a.position_table, checked_index("embedding: position", p, a.position_table.size(0)));
      }
      for (std::int64_t c = 0; c < a.y.size(1); ++c) {
        const S sum = S(a.scale) * load(weight[c]) + (position ? load(position[c]) : S(0));
        y[c] = store<T>(sum * S(mask.factor(r, c)));
      }
    }
  });
}

void embedding_backward(Context& ctx, const EmbeddingBackward& a) {
  const DropoutMask mask(ctx, a.dropout);
  with_floating(a.dy.dtype, [&]<class T>(T) {
    using S = SumType<T>;
    const std::int64_t rows = a.dy.size(0), columns = a.dy.size(1);
    const std::int32_t *tokens = a.tokens.as<std::int32_t>(), *by_token = a.by_token.as<std::int32_t>();
    const auto g = [&](std::int64_t r, std::int64_t c) { return load(row<T>(a.dy, r)[c]) * S(mask.factor(r, c)); };
    for (std::int64_t begin = 0, end = 0; begin < rows; begin = end) {  // rows by_token[begin .. end) are those of one token
      const std::int32_t token = tokens[checked_index("embedding: row", by_token[begin], rows)];
      while (end < rows && tokens[checked_index("embedding: row", by_token[end], rows)] == token) ++end;
      const std::int64_t found = row_of(token, a.piece, a.dweight.size(0));
      if (found < 0) continue;
      S* dweight = row<S>(a.dweight, found);
      for (std::int64_t c = 0; c < columns; ++c) {
        S sum = 0;
        for (std::int64_t i = begin; i < end; ++i) sum += g(by_token[i], c);
        dweight[c] += S(a.scale) * sum;
      }
    }
    if (!a.dposition.defined()) return;
    for (std::int64_t r = 0; r < rows; ++r) {
      S* dposition = row<S>(a.dposition, checked_index("embedding: position", a.positions.as<std::int32_t>()[r], a.dposition.size(0)));
      for (std::int64_t c = 0; c < columns; ++c) dposition[c] += g(r, c);
    }
  });
}

}  // namespace weft::kernels::reference

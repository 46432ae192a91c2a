#pragma once
#include "runtime/context.h"
#include "runtime/kernels/dropout.h"
#include "runtime/kernels/vocabulary_piece.h"
#include "runtime/tensor.h"

namespace weft::kernels {

/// y = dropout(scale weight[token] + position_table[position]). With a piece of the vocabulary, rows of tokens of other pieces are zeros:
/// the sum over the ranks is the whole.
struct EmbeddingForward {
  Tensor tokens;     // (T) int32
  Tensor positions;  // (T) int32
  Tensor weight;     // (V, C), the rows of `piece`
  VocabularyPiece piece;
  Tensor position_table;  // (P, C), or absent
  double scale = 1;
  RowDropout dropout;
  Tensor y;  // (T, C), overwritten
};
void embedding_forward(Context&, const EmbeddingForward&);

/// With g = dropout(dy): dweight[v] += scale sum of g over the rows of token v, in the order of by_token; dposition[p] += sum of g over the
/// rows at position p, in the order of the rows. Tokens of other pieces of the vocabulary have no row in dweight; dposition has all rows.
struct EmbeddingBackward {
  Tensor dy;         // (T, C)
  Tensor tokens;     // (T) int32
  Tensor positions;  // (T) int32
  Tensor by_token;   // (T) int32: rows sorted by (token, row)
  double scale = 1;
  RowDropout dropout;
  VocabularyPiece piece;
  Tensor dweight;    // (V, C), the rows of `piece`, sum type; accumulates
  Tensor dposition;  // (P, C), sum type, accumulates; or absent (sinusoidal)
};
void embedding_backward(Context&, const EmbeddingBackward&);

}  // namespace weft::kernels

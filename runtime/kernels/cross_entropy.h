#pragma once
#include "runtime/context.h"
#include "runtime/kernels/vocabulary_piece.h"
#include "runtime/tensor.h"

namespace weft {

/// What a loss adds up, as float64 fields of one tensor on the device.
struct LossSums {
  enum Field : std::int64_t {
    kLoss,     // with label smoothing, in nats
    kNll,      // without it: what perplexity and validation loss are made of
    kCount,    // sum of the weights
    kCorrect,  // weighted rows whose largest logit is the label (ties: the lowest id)
    kFields
  };
};

/// What a row of logits, or its piece of a vocabulary, says of the softmax: float64 fields of a row of a tensor. Of no logits: max -inf,
/// sum 0.
struct SoftmaxStatistics {
  enum Field : std::int64_t {
    kMax,
    kSum,     // of exp(logit - max)
    kTotal,   // sum of the logits
    kLabel,   // logit of the label; 0 where another piece has it
    kArgmax,  // the first token whose logit is the largest
    kFields
  };
};

}  // namespace weft

namespace weft::kernels {

/// The statistics of each row of one piece of the vocabulary.
struct RowStatistics {
  Tensor logits;  // (T, V), sum type: the columns of `piece`
  Tensor labels;  // (T) int32
  VocabularyPiece piece;
  Tensor statistics;  // (T, SoftmaxStatistics::kFields) float64, overwritten
};
void softmax_statistics(Context&, const RowStatistics&);

/// The statistics of whole rows from those of their pieces, in the order of the pieces.
struct MergeStatistics {
  Tensor pieces;      // (R T, SoftmaxStatistics::kFields) float64: T rows of each of R pieces
  Tensor statistics;  // (T, SoftmaxStatistics::kFields) float64, overwritten
};
void merge_statistics(Context&, const MergeStatistics&);

/// Per row, with p = softmax(logits): loss = weight ((1 - e) (-log p[label]) + (e / V) sum_v (-log p[v])), added to `sums` in the order of
/// the rows; dlogits = step_state[kLossScale] weight (p - (1 - e) [v == label] - e / V). Where a rank has a piece of the vocabulary, p is
/// of the whole row: its statistics say it, and every rank adds the same to its sums.
struct CrossEntropy {
  Tensor logits;   // (T, V), sum type: the columns of `piece`
  Tensor labels;   // (T) int32, always valid
  Tensor weights;  // (T) float32
  double label_smoothing = 0;
  VocabularyPiece piece;
  Tensor statistics;  // (T, SoftmaxStatistics::kFields) float64, of whole rows; absent: the logits are whole rows
  Tensor dlogits;     // (T, V), compute dtype, overwritten, may be logits; absent: loss only
  Tensor sums;        // (LossSums::kFields) float64; accumulates
  Tensor workspace;   // (bytes) uint8, taken by the launcher
};
void cross_entropy(Context&, CrossEntropy);

}  // namespace weft::kernels

#pragma once
#include "layers/parameter.h"
#include "layers/tensor_parallel.h"
#include "runtime/context.h"
#include "runtime/kernels/vocabulary_piece.h"

namespace weft {

/// logits = x W^T, softmax, cross-entropy with label smoothing (runtime/kernels/cross_entropy.h). Forward and backward are one call over
/// chunks of kChunkRows rows: neither the logits nor their gradient are ever whole, so memory is bounded by a chunk. W (V, C) is the
/// model's: a parameter of its own or an embedding. With tensor parallelism a rank holds the rows of W of its piece of the vocabulary and
/// computes those columns of the logits; per chunk the ranks exchange five numbers a row, and all come to the same loss.
class LossHead {
 public:
  /// Fixed, so that sums are cut by the size of the data. A chunk of logits of a vocabulary of 32,000 in fp32 is 64 MB.
  static constexpr std::int64_t kChunkRows = 512;
  struct Input {
    Tensor x;        // (T, C)
    Tensor labels;   // (T) int32, always valid
    Tensor weights;  // (T) float32; 0: not counted
  };

  LossHead(Parameter& weight, double label_smoothing, TensorParallel = {});

  /// Adds to sums (LossSums::kFields), overwrites dx (T, C), adds the gradient of W. The gradient is scaled by step_state[kLossScale].
  void forward_backward(Context&, const Input&, Tensor dx, Tensor sums) const;
  /// Adds to sums.
  void forward(Context&, const Input&, Tensor sums) const;
  /// logits (T, V) of the whole vocabulary, sum type, overwritten: decoding.
  void logits(Context&, Tensor x, Tensor logits) const;
  std::int64_t vocab_size() const { return weight_->parts[0].shape[0]; }

 private:
  struct Chunk {
    Input rows;
    Tensor logits, dlogits;  // (rows, this rank's piece of V); dlogits absent: loss only
  };
  void cross_entropy(Context&, const Chunk&, Tensor sums) const;
  Tensor whole_statistics(Context&, const Chunk&) const;
  void logits_of_piece(Context&, Tensor x, Tensor logits) const;
  std::int64_t columns() const { return weight_->shape[0]; }  // of this rank

  Parameter* weight_;
  VocabularyPiece piece_;
  double label_smoothing_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

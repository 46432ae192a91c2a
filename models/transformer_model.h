#pragma once
#include "layers/loss_head.h"
#include "models/transformer.h"
#include "models/transformer_stack.h"

namespace weft {

/// Blocks in order: encoder embeddings, encoder layers, decoder embeddings, decoder layers, head; one that has no parameters is left out.
struct TransformerBlocks {
  StackBlocks encoder, decoder;
  BlockId head = kNoBlock;
  BlockId shared = kNoBlock;  // where an output matrix that is also an embedding is
  explicit TransformerBlocks(const ModelConfig&);
};

class Transformer : public TranslationModel {
 public:
  Transformer(const ModelConfig&, ParameterSet&, TensorParallel);

  void forward_backward(Context&, const Batch&, BlockHooks&, Tensor sums) override;
  void forward(Context&, const Batch&, BlockHooks&, Tensor sums) override;

  std::int64_t vocab_size() const override { return head_.vocab_size(); }
  std::unique_ptr<DecodeState> start(Context&, const Rows& source, int beams, std::int64_t max_steps) override;
  void step(Context&, DecodeState&, Tensor tokens, Tensor logits) override;
  void reorder(Context&, DecodeState&, Tensor parents) override;
  void attend(Context&, const Rows& source, const Rows& target, Tensor weights) override;

 private:
  /// The matrices that the two stacks and the head may share.
  struct Tables {
    Parameter* source;            // (source V, C)
    Parameter* target;            // (target V, C)
    Parameter* output;            // (target V, C)
    Parameter* source_positions;  // (max_length, C), or nullptr
    Parameter* target_positions;
  };
  Transformer(const ModelConfig&, ParameterSet&, const Tables&, TensorParallel);
  static Tables register_tables(const ModelConfig&, ParameterSet&, const TensorParallel&);
  struct DecoderPass {
    Tensor x;        // (Tt, C), output of the decoder
    Tensor dmemory;  // (Ts, C), sum type; added to
    Tensor sums;
  };
  void backward_decoder(Context&, const Batch&, BlockHooks&, const DecoderPass&);

  std::int64_t position_limit_;  // rows of the position tables; 0: none, no limit
  TransformerBlocks blocks_;
  TransformerStack encoder_;
  TransformerStack decoder_;
  LossHead head_;
  TensorParallel tensor_parallel_;
};

}  // namespace weft

#pragma once
#include <span>
#include <vector>

#include "layers/block_hooks.h"
#include "layers/embedding.h"
#include "models/transformer_layer.h"

namespace weft {

/// Where a block would be that has no parameters of its own (a tied head); no hook is called for it.
inline constexpr BlockId kNoBlock = -1;

struct StackBlocks {
  BlockId embeddings = kNoBlock;
  BlockId first_layer = 0;
};

/// Embeddings and layers of one side, with what a training pass saves.
class TransformerStack {
 public:
  struct Input {
    Rows rows;
    Tensor memory;  // (Ts, C), output of the encoder; absent in the encoder and in decoding
    Rows memory_rows;
    std::span<const KeyValueCache> caches;   // decoding: one a layer
    std::span<const KeyValues> memory_keys;  // decoding: one a layer
    Tensor attention;                        // see TransformerLayer::Input; of the last layer
  };
  struct Embeddings {
    Parameter& token;     // (V, C)
    Parameter* position;  // (max_length, C), or nullptr
  };

  /// Registers "<encoder or decoder>.layers.N..." and "<...>.norm". The embeddings are registered already, since stacks may share them.
  TransformerStack(const ModelConfig&, StackKind, StackBlocks, const Embeddings&, ParameterSet&, TensorParallel);

  /// Returns the output (T, C); all that backward needs is in saved memory, or, with recompute_blocks, what it needs to compute it again.
  Tensor forward(Context&, const Input&, BlockHooks&);
  /// dy (T, C) is used up. dmemory (Ts, C), sum type, is added to. Releases the saved memory of the forward.
  void backward(Context&, BlockHooks&, Tensor dy, Tensor dmemory);
  /// Output (T, C) for no backward: two rows of outputs in turn, all else is released layer by layer.
  Tensor evaluate(Context&, const Input&, BlockHooks&) const;

  const std::vector<TransformerLayer>& layers() const { return layers_; }
  DType dtype() const { return token_->value.dtype; }  // of values and activations

 private:
  TransformerLayer::Input layer_input(const Input&, Tensor x, std::size_t layer) const;
  Tensor take_output(Context&, std::int64_t rows) const;
  void embed(Context&, const Rows&, Tensor y, BlockHooks&, Embedding::Saved&) const;
  BlockId block_of(std::size_t layer) const { return blocks_.first_layer + static_cast<BlockId>(layer); }

  std::int64_t hidden_size_;
  bool recompute_;
  StackBlocks blocks_;
  const Parameter* token_;
  Embedding embedding_;
  std::vector<TransformerLayer> layers_;

  // One training pass: marks_[l] is the place in saved memory before the output of layer l.
  StepArena::Mark start_{};
  Embedding::Saved saved_embedding_;
  std::vector<TransformerLayer::Saved> saved_;
  std::vector<StepArena::Mark> marks_;
  std::vector<Tensor> outputs_;
};

/// The hooks of a block, none for kNoBlock.
void acquire(Context&, BlockHooks&, BlockId, Direction);
void release(Context&, BlockHooks&, BlockId);
void ready_and_release(Context&, BlockHooks&, BlockId);

}  // namespace weft

#pragma once
#include <array>
#include <optional>
#include <vector>

#include "layers/attention/cross_attention.h"
#include "layers/attention/self_attention.h"
#include "layers/feed_forward.h"
#include "layers/join.h"
#include "layers/norm.h"
#include "models/model_config.h"

namespace weft {

enum class StackKind { kEncoder, kDecoder };

/// One layer of either stack: self-attention, in a decoder cross-attention, feed-forward; the output of each sub-layer S is joined to the
/// residual stream. Post-norm: x_i = norm_i(x_(i-1) + S_i(x_(i-1))). Pre-norm: z_i = z_(i-1) + S_i(norm_i(z_(i-1))), and the last layer of
/// a stack ends with the norm of the stack. Wherever a norm follows a residual in the block, both are one op.
class TransformerLayer {
 public:
  struct Input {
    Tensor x;  // (T, C), saved until backward
    Rows rows;
    Tensor memory;  // (Ts, C), output of the encoder, saved until backward; absent in an encoder and in decoding
    Rows memory_rows;
    const KeyValueCache* cache = nullptr;    // decoding: of the self-attention
    const KeyValues* memory_keys = nullptr;  // decoding: what `project_memory` gave
    Tensor attention;                        // (T, Ss) float32, the weights of the cross-attention are written here; or absent
  };
  struct Saved {
    Input input;
    Norm::Saved opening_norm;
    SelfAttention::Saved self_attention;
    CrossAttention::Saved cross_attention;
    FeedForward::Saved ffn;
    std::array<Join::Saved, 3> joins;
  };

  struct Options {
    std::optional<ParameterScope> stack_norm;  // "encoder.norm": of the last layer of a pre-norm stack
    PositionTables positions;                  // of the self-attention
    TensorParallel tensor_parallel;
  };
  /// `layer` is the scope of this layer ("encoder.layers.0").
  TransformerLayer(const ModelConfig&, StackKind, ParameterScope layer, const Options&);

  /// y (T, C) is overwritten. All else is taken from saved memory.
  void forward(Context&, const Input&, Tensor y, Saved&) const;
  struct Gradients {
    Tensor dy;       // (T, C)
    Tensor dx;       // (T, C), overwritten; may be dy
    Tensor dmemory;  // (Ts, C), sum type; this rank's part is added. Absent in an encoder
  };
  void backward(Context&, const Saved&, const Gradients&) const;

  /// Keys and values of the encoder's output for decoding: memory (Ts, C) -> keys_values (Ts, keys_values_width), overwritten.
  std::int64_t keys_values_width() const { return cross_attention_->keys_values_width(); }
  KeyValues project_memory(Context&, Tensor memory, const Rows&, Tensor keys_values) const;

 private:
  void cross_attention_forward(Context&, Tensor x, Tensor y, Saved&) const;

  bool pre_norm_;
  std::optional<Norm> opening_norm_;  // pre-norm: norm1
  SelfAttention self_attention_;
  std::optional<CrossAttention> cross_attention_;
  FeedForward ffn_;
  std::vector<Join> joins_;  // after each sub-layer. Norms: norm1, norm2, ...; pre-norm: norm2, ... and, if the stack ends here, its norm
};

}  // namespace weft

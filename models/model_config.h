#pragma once
#include <cstdint>
#include <string>

#include "layers/feed_forward.h"
#include "layers/norm.h"
#include "runtime/kernels/attention.h"

namespace weft {

enum class NormPosition { kPost, kPre };
enum class Positions { kSinusoidal, kSinusoidalHalves, kLearned, kRope, kAlibi, kNone };
enum class EmbeddingScale { kSqrt, kNone };
enum class TiedEmbeddings { kNone, kDecoder, kAll };

/// One stack of layers.
struct StackConfig {
  std::int64_t num_layers = 6;
  std::int64_t num_heads = 8;
  std::int64_t num_kv_heads = 0;  // 0: num_heads
  std::int64_t head_dim = 0;      // 0: hidden_size / num_heads
  std::int64_t ffn_size = 2048;
};

/// Section `model` of the configuration, with what the vocabulary adds.
struct ModelConfig {
  StackConfig encoder, decoder;
  std::int64_t hidden_size = 512;
  FfnActivation activation = FfnActivation::kRelu;
  bool bias = true;
  NormKind norm = NormKind::kLayerNorm;
  double norm_eps = 1e-5;
  NormPosition norm_position = NormPosition::kPost;
  Positions positions = Positions::kSinusoidal;
  RotaryPairing rope_pairing = RotaryPairing::kHalf;
  double rope_base = 10000;
  EmbeddingScale embedding_scale = EmbeddingScale::kSqrt;
  std::int64_t max_length = 256;  // tokens of one sequence, end token included
  TiedEmbeddings tied_embeddings = TiedEmbeddings::kAll;
  double dropout = 0.1, attention_dropout = 0, activation_dropout = 0;
  bool recompute_blocks = false;  // training.recompute: block
  double label_smoothing = 0;     // training.label_smoothing

  std::int64_t source_vocab_size = 0, target_vocab_size = 0;
};

}  // namespace weft

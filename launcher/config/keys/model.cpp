#include <fmt/format.h>

#include "launcher/config/keys/tables.h"

namespace weft {
namespace {

/// One number for both stacks, or {encoder: a, decoder: b}. 0 in the struct is null in the file.
Key stack_key(std::string name, std::int64_t StackConfig::*member, Whole range, std::string help) {
  const auto read = [=](const YamlNode& node, ModelConfig& model) -> ReadResult {
    std::int64_t encoder = 0, decoder = 0;
    if (node.kind != YamlNode::Kind::kMap) {
      if (auto problem = read_whole(node, range, encoder)) return problem;
      model.encoder.*member = model.decoder.*member = encoder;
      return std::nullopt;
    }
    const bool both = node.keys.size() == 2 && node.keys[0].scalar != node.keys[1].scalar;
    for (std::size_t i = 0; i < node.keys.size(); ++i) {
      const std::string& stack = node.keys[i].scalar;
      if (!both || (stack != "encoder" && stack != "decoder")) {
        return not_a("not a number for each stack", node, range.words() + ", or {encoder: a, decoder: b}");
      }
      if (auto problem = read_whole(node.items[i], range, stack == "encoder" ? encoder : decoder)) return problem;
    }
    if (node.keys.empty()) return not_a("not a number for each stack", node, range.words() + ", or {encoder: a, decoder: b}");
    model.encoder.*member = encoder;
    model.decoder.*member = decoder;
    return std::nullopt;
  };
  const auto write = [=](const ModelConfig& model) {
    const std::int64_t encoder = model.encoder.*member, decoder = model.decoder.*member;
    if (encoder == 0 && decoder == 0) return std::string("null");
    return encoder == decoder ? std::to_string(encoder) : fmt::format("{{encoder: {}, decoder: {}}}", encoder, decoder);
  };
  return {.name = std::move(name),
          .values = range.words() + ", or {encoder: a, decoder: b}",
          .help = std::move(help),
          .read = [=](const YamlNode& node, Config& config) { return read(node, config.model); },
          .write = [=](const Config& config) { return write(config.model); },
          .copy =
              [=](Config& to, const Config& from) {
                to.model.encoder.*member = from.model.encoder.*member;
                to.model.decoder.*member = from.model.decoder.*member;
              }};
}

}  // namespace

Section model_section() {
  const auto of = in(&Config::model);
  const Real probability{.least = 0, .most = 1, .below = true};
  return {
      .name = "model",
      .help = "The shape of the model; the task decides encoder, decoder or both.",
      .change = Change::kModel,
      .keys = {
          fixed("type", "transformer", {"lstm", "gru"}, "the family"),
          fixed("score", "scaled_dot", {"dot", "cosine", "euclidean", "squared_euclidean", "general", "additive"},
                "similarity in the attention"),
          whole("hidden_size", of(&ModelConfig::hidden_size), {.least = 1, .most = 1 << 20},
                "columns of every layer; num_heads divides it"),
          stack_key("ffn_size", &StackConfig::ffn_size, {.least = 1, .most = 1 << 24}, "columns inside the feed-forward layers"),
          stack_key("num_layers", &StackConfig::num_layers, {.least = 1, .most = 1000}, "layers of a stack"),
          stack_key("num_heads", &StackConfig::num_heads, {.least = 1, .most = 4096}, "heads of the attention"),
          stack_key("num_kv_heads", &StackConfig::num_kv_heads, {.least = 1, .most = 4096},
                    "heads of keys and values, each shared by num_heads / num_kv_heads query heads; 1: multi-query; null: num_heads"),
          stack_key("head_dim", &StackConfig::head_dim, {.least = 1, .most = 65536}, "columns of a head; null: hidden_size / num_heads"),
          fixed("embedding_size", "null", {}, "lstm and gru; null: hidden_size"),
          fixed("bidirectional", "true", {"false"}, "lstm and gru"),
          choice("activation", of(&ModelConfig::activation),
                 {{"relu", FfnActivation::kRelu},
                  {"gelu", FfnActivation::kGelu},
                  {"gelu_tanh", FfnActivation::kGeluTanh},
                  {"swiglu", FfnActivation::kSwiglu}},
                 {}, "inside the feed-forward layers; swiglu has a third matrix, so ffn_size x 2/3 has the weights of the others"),
          boolean("bias", of(&ModelConfig::bias), "whether linear layers add a bias"),
          choice("norm", of(&ModelConfig::norm), {{"layer_norm", NormKind::kLayerNorm}, {"rms_norm", NormKind::kRmsNorm}}, {},
                 "the normalisation; rms_norm has neither mean nor bias"),
          choice("norm_position", of(&ModelConfig::norm_position), {{"post", NormPosition::kPost}, {"pre", NormPosition::kPre}}, {},
                 "after the residual, or before the sub-layer (adds a last norm)"),
          real("norm_eps", of(&ModelConfig::norm_eps), {.least = 0, .most = 1, .above = true}, "added to the variance"),
          choice("positions", of(&ModelConfig::positions),
                 {{"sinusoidal", Positions::kSinusoidal},
                  {"sinusoidal_halves", Positions::kSinusoidalHalves},
                  {"learned", Positions::kLearned},
                  {"rope", Positions::kRope},
                  {"alibi", Positions::kAlibi},
                  {"none", Positions::kNone}},
                 {}, "how the model knows the order; rope and alibi act in self-attention, the others on the embeddings"),
          choice("rope_pairing", of(&ModelConfig::rope_pairing),
                 {{"half", RotaryPairing::kHalf}, {"interleaved", RotaryPairing::kInterleaved}}, {},
                 "rope turns x_i with x_(i + D/2), or x_2i with x_(2i + 1)"),
          real("rope_base", of(&ModelConfig::rope_base), {.least = 1, .above = true}, "rope turns pair i by base^(-2i/D) a position"),
          choice("embedding_scale", of(&ModelConfig::embedding_scale), {{"sqrt", EmbeddingScale::kSqrt}, {"none", EmbeddingScale::kNone}},
                 {}, "sqrt multiplies embeddings by the root of hidden_size"),
          on_change(Change::kNumbers, whole("max_length", of(&ModelConfig::max_length), {.least = 1, .most = 1 << 20},
                                            "tokens of one sequence, end token included")),
          choice("tied_embeddings", of(&ModelConfig::tied_embeddings),
                 {{"none", TiedEmbeddings::kNone}, {"decoder", TiedEmbeddings::kDecoder}, {"all", TiedEmbeddings::kAll}}, {},
                 "decoder: target embedding = output matrix; all: source embedding too"),
          on_change(Change::kNumbers,
                    real("dropout", of(&ModelConfig::dropout), probability, "on embeddings and on the output of every sub-layer")),
          on_change(Change::kNumbers,
                    real("attention_dropout", of(&ModelConfig::attention_dropout), probability, "on the attention weights")),
          on_change(Change::kNumbers,
                    real("activation_dropout", of(&ModelConfig::activation_dropout), probability, "after the activation")),
          fixed("pooling", "mean", {"max", "first", "attention"}, "classification: rows of a text become one"),
      }};
}

}  // namespace weft

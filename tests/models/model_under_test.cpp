#include "tests/models/model_under_test.h"

#include "runtime/error.h"

namespace weft::test {
namespace {

constexpr std::int64_t kSmallVocabulary = 13;

FfnActivation activation_of(const std::string& name) {
  if (name == "relu") return FfnActivation::kRelu;
  if (name == "gelu") return FfnActivation::kGelu;
  if (name == "gelu_tanh") return FfnActivation::kGeluTanh;
  fail("no activation " + name);
}

TiedEmbeddings tied_of(const std::string& name) {
  if (name == "all") return TiedEmbeddings::kAll;
  return name == "decoder" ? TiedEmbeddings::kDecoder : TiedEmbeddings::kNone;
}

}  // namespace

ModelUnderTest::ModelUnderTest(const ModelConfig& model_config, const KernelTable& table, DType type, std::uint64_t seed,
                               TensorParallel tensor_parallel)
    : config(model_config),
      dtype(type),
      ctx(table),
      set(seed),
      model(make_transformer(config, set, tensor_parallel)),
      bound(ctx, set, type) {}

std::vector<double> ModelUnderTest::forward_backward(const Batch& batch, BlockHooks& hooks) {
  const Tensor sums = new_sums();
  model->forward_backward(ctx, batch, hooks, sums);
  return to_doubles(sums);
}

std::vector<double> ModelUnderTest::forward_backward(const Batch& batch) {
  BlockHooks none;
  return forward_backward(batch, none);
}

std::vector<double> ModelUnderTest::forward(const Batch& batch) {
  BlockHooks none;
  const Tensor sums = new_sums();
  model->forward(ctx, batch, none, sums);
  return to_doubles(sums);
}

ModelConfig golden_config(const GoldenFile& file) {
  const Json& json = file.config();
  const StackConfig stack{.num_heads = json.at("num_heads").as_int(), .ffn_size = json.at("ffn_size").as_int()};
  ModelConfig config{.encoder = stack, .decoder = stack};
  config.encoder.num_layers = json.at("encoder_layers").as_int();
  config.decoder.num_layers = json.at("decoder_layers").as_int();
  config.hidden_size = json.at("hidden_size").as_int();
  config.activation = activation_of(json.at("activation").as_string());
  config.bias = json.at("bias").as_bool();
  config.norm_eps = json.at("norm_eps").as_double();
  config.norm_position = json.at("norm_position").as_string() == "pre" ? NormPosition::kPre : NormPosition::kPost;
  config.positions = json.at("positions").as_string() == "learned" ? Positions::kLearned : Positions::kSinusoidal;
  config.embedding_scale = json.at("embedding_scale").as_string() == "sqrt" ? EmbeddingScale::kSqrt : EmbeddingScale::kNone;
  config.max_length = json.find("max_length") == nullptr ? 16 : json.at("max_length").as_int();
  config.tied_embeddings = tied_of(json.at("tied_embeddings").as_string());
  config.dropout = 0;
  config.label_smoothing = json.at("label_smoothing").as_double();
  config.source_vocab_size = json.at("vocab_size").as_int();
  const Json* target = json.find("target_vocab_size");
  config.target_vocab_size = target == nullptr ? config.source_vocab_size : target->as_int();
  return config;
}

Batch golden_batch(TestContext& ctx, const GoldenFile& file) {
  return make_batch(ctx, file.sequences("input.source."), file.sequences("input.target."), file.ints("input.labels"));
}

ModelConfig small_config(const Variant& variant) {
  const StackConfig stack{.num_layers = 2, .num_heads = 2, .ffn_size = 12};
  ModelConfig config{.encoder = stack,
                     .decoder = stack,
                     .hidden_size = 8,
                     .activation = FfnActivation::kGelu,
                     .norm_position = variant.norm_position,
                     .positions = variant.positions,
                     .max_length = 8,
                     .tied_embeddings = variant.tied_embeddings,
                     .dropout = 0.2,
                     .attention_dropout = 0.1,
                     .activation_dropout = 0.1,
                     .label_smoothing = 0.1,
                     .source_vocab_size = kSmallVocabulary,
                     .target_vocab_size = kSmallVocabulary};
  if (!variant.modern) return config;
  config.encoder.num_heads = config.decoder.num_heads = 4;  // of 4, though 8 / 4 is 2
  config.encoder.num_kv_heads = 2;
  config.decoder.num_kv_heads = 1;
  config.encoder.head_dim = config.decoder.head_dim = 4;
  config.activation = FfnActivation::kSwiglu;
  config.norm = NormKind::kRmsNorm;
  config.bias = false;
  config.rope_base = 100;
  return config;
}

std::vector<Variant> all_variants() {
  std::vector<Variant> variants;
  for (const NormPosition norm : {NormPosition::kPost, NormPosition::kPre}) {
    for (const TiedEmbeddings tied : {TiedEmbeddings::kNone, TiedEmbeddings::kDecoder, TiedEmbeddings::kAll}) {
      for (const Positions positions : {Positions::kSinusoidal, Positions::kLearned, Positions::kNone}) {
        variants.push_back({norm, tied, positions});
      }
    }
  }
  for (const NormPosition norm : {NormPosition::kPost, NormPosition::kPre}) {
    for (const Positions positions : {Positions::kRope, Positions::kAlibi}) {
      variants.push_back({norm, TiedEmbeddings::kDecoder, positions, true});
    }
  }
  variants.push_back({NormPosition::kPre, TiedEmbeddings::kAll, Positions::kSinusoidalHalves, false});
  return variants;
}

std::string name(const Variant& variant) {
  const std::string norm = variant.norm_position == NormPosition::kPost ? "post_norm" : "pre_norm";
  const char* tied[] = {"_untied", "_tied_decoder", "_tied_all"};
  const char* positions[] = {"_sinusoidal", "_sinusoidal_halves", "_learned", "_rope", "_alibi", "_no_positions"};
  return norm + tied[static_cast<int>(variant.tied_embeddings)] + positions[static_cast<int>(variant.positions)] +
         (variant.modern ? "_modern" : "");
}

Batch small_batch(TestContext& ctx) {
  return make_random_batch(ctx, {.source_lengths = {4, 1, 5}, .target_lengths = {3, 5, 1}, .vocab_size = kSmallVocabulary});
}

}  // namespace weft::test

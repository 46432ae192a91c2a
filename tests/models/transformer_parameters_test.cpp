#include <algorithm>
#include <cmath>
#include <map>

#include <gtest/gtest.h>

#include "models/transformer.h"
#include "runtime/error.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

constexpr std::int64_t kWidth = 32, kInner = 48, kVocabulary = 100;

ModelConfig config_with(TiedEmbeddings tied, EmbeddingScale scale = EmbeddingScale::kSqrt) {
  const StackConfig stack{.num_layers = 1, .num_heads = 4, .ffn_size = kInner};
  return {.encoder = stack,
          .decoder = stack,
          .hidden_size = kWidth,
          .norm_position = NormPosition::kPre,
          .embedding_scale = scale,
          .max_length = 8,
          .tied_embeddings = tied,
          .source_vocab_size = kVocabulary,
          .target_vocab_size = kVocabulary};
}

/// Initial values by the name of the part.
std::map<std::string, std::vector<double>> initial_values(const ModelConfig& config) {
  TestContext ctx;
  ParameterSet set(1);
  make_transformer(config, set);
  std::map<std::string, std::vector<double>> values;
  for (const Parameter& parameter : set.parameters()) {
    const Tensor out = ctx.empty(parameter.shape, DType::kFloat64);
    draw_initial_values(parameter, set.seed(), out);
    for (const Part& part : parameter.parts) values[part.name] = to_doubles(out.rows(part.row, part.shape[0]));
  }
  return values;
}

double largest(const std::vector<double>& values) {
  double most = 0;
  for (double value : values) most = std::max(most, std::abs(value));
  return most;
}

double deviation(const std::vector<double>& values) {
  double squares = 0;
  for (double value : values) squares += value * value;
  return std::sqrt(squares / static_cast<double>(values.size()));
}

/// Uniform in +- bound: nothing beyond, and a thousand draws come near.
void expect_uniform(const std::vector<double>& values, double bound) {
  EXPECT_LE(largest(values), bound);
  EXPECT_GT(largest(values), 0.98 * bound);
}

TEST(TransformerParametersTest, StartAsTheConventionsSay) {
  const auto values = initial_values(config_with(TiedEmbeddings::kNone));
  const double square = std::sqrt(6.0 / (kWidth + kWidth)), inner = std::sqrt(6.0 / (kWidth + kInner));
  for (const char* attention : {"encoder.layers.0.self_attn", "decoder.layers.0.self_attn", "decoder.layers.0.cross_attn"}) {
    for (const char* projection : {".q_proj.weight", ".k_proj.weight", ".v_proj.weight"}) {
      SCOPED_TRACE(std::string(attention) + projection);
      expect_uniform(values.at(std::string(attention) + projection), square / std::sqrt(2.0));
    }
    expect_uniform(values.at(std::string(attention) + ".out_proj.weight"), square);
    EXPECT_EQ(largest(values.at(std::string(attention) + ".k_proj.bias")), 0);
  }
  expect_uniform(values.at("decoder.layers.0.ffn.fc1.weight"), inner);
  expect_uniform(values.at("decoder.layers.0.ffn.fc2.weight"), inner);
  expect_uniform(values.at("lm_head.weight"), std::sqrt(6.0 / (kVocabulary + kWidth)));
  EXPECT_EQ(values.at("encoder.norm.weight"), std::vector<double>(kWidth, 1));
  EXPECT_EQ(values.at("encoder.norm.bias"), std::vector<double>(kWidth, 0));
  EXPECT_NEAR(deviation(values.at("encoder.embeddings.token.weight")), 1 / std::sqrt(kWidth), 0.01);
  EXPECT_NE(values.at("encoder.embeddings.token.weight"), values.at("decoder.embeddings.token.weight"));
  const auto unscaled = initial_values(config_with(TiedEmbeddings::kAll, EmbeddingScale::kNone));
  EXPECT_NEAR(deviation(unscaled.at("embeddings.token.weight")), 0.02, 0.001);
}

TEST(TransformerParametersTest, OnlyWeightMatricesDecay) {
  for (const TiedEmbeddings tied : {TiedEmbeddings::kNone, TiedEmbeddings::kDecoder, TiedEmbeddings::kAll}) {
    ParameterSet set(1);
    make_transformer(config_with(tied), set);
    for (const Parameter& parameter : set.parameters()) {
      const std::string& name = parameter.parts[0].name;
      const bool matrix = name.ends_with("proj.weight") || name.ends_with("fc1.weight") || name.ends_with("fc2.weight");
      EXPECT_EQ(parameter.decayed, matrix || name == "lm_head.weight") << name;
    }
  }
}

TEST(TransformerParametersTest, ShapesThatCannotBeAreRefusedAsUserMistakes) {
  const auto code_of = [](const ModelConfig& config) {
    ParameterSet set(1);
    try {
      make_transformer(config, set);
    } catch (const Error& error) {
      return error.code();
    }
    return ExitCode::kDone;
  };
  ModelConfig heads = config_with(TiedEmbeddings::kNone);
  heads.decoder.num_heads = 5;
  EXPECT_EQ(code_of(heads), ExitCode::kBadInput);
  ModelConfig vocabularies = config_with(TiedEmbeddings::kAll);
  vocabularies.source_vocab_size = kVocabulary + 1;
  EXPECT_EQ(code_of(vocabularies), ExitCode::kBadInput);
  ModelConfig layers = config_with(TiedEmbeddings::kNone);
  layers.encoder.num_layers = 0;
  EXPECT_EQ(code_of(layers), ExitCode::kBadInput);
}

}  // namespace
}  // namespace weft::test

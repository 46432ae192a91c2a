#include <algorithm>
#include <array>
#include <cmath>
#include <set>
#include <utility>

#include <gtest/gtest.h>

#include "layers/packed_weights.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

constexpr std::int32_t kVocabulary = 13;

struct NamedPositions {
  const char* name;
  Positions positions;
  RotaryPairing pairing = RotaryPairing::kHalf;
};
const std::vector<NamedPositions>& all_positions() {
  static const std::vector<NamedPositions> all{{"sinusoidal", Positions::kSinusoidal},
                                               {"sinusoidal_halves", Positions::kSinusoidalHalves},
                                               {"learned", Positions::kLearned},
                                               {"rope_half", Positions::kRope},
                                               {"rope_interleaved", Positions::kRope, RotaryPairing::kInterleaved},
                                               {"alibi", Positions::kAlibi},
                                               {"none", Positions::kNone}};
  return all;
}

struct NamedHeads {
  const char* name;
  StackConfig encoder, decoder;
};
const std::array<NamedHeads, 4>& all_heads() {
  const auto stack = [](std::int64_t heads, std::int64_t kv_heads, std::int64_t head_dim) {
    return StackConfig{.num_layers = 2, .num_heads = heads, .num_kv_heads = kv_heads, .head_dim = head_dim, .ffn_size = 12};
  };
  static const std::array<NamedHeads, 4> all{{{"plain", stack(4, 0, 0), stack(2, 0, 0)},
                                              {"grouped", stack(4, 2, 0), stack(4, 2, 0)},
                                              {"multi_query", stack(4, 1, 0), stack(4, 1, 0)},
                                              {"own_size", stack(3, 3, 6), stack(6, 2, 4)}}};  // 18 and 24 columns where the model has 16
  return all;
}

/// Factors of four values each beside the positions. In the field of four elements, a + b is a ^ b; a product by 2 or 3 is a table.
struct Combination {
  std::size_t positions, heads, activation, norm, ends;
};

/// Each value of each factor meets each value of every other: orthogonal Latin squares over (positions, heads).
std::vector<Combination> combinations() {
  constexpr std::array<std::size_t, 4> kTwice{0, 2, 3, 1}, kThrice{0, 3, 1, 2};
  std::vector<Combination> all;
  for (std::size_t p = 0; p < all_positions().size(); ++p) {
    for (std::size_t h = 0; h < all_heads().size(); ++h) all.push_back({p, h, p % 4 ^ h, kTwice[p % 4] ^ h, kThrice[p % 4] ^ h});
  }
  return all;
}

ModelConfig config_of(const Combination& c) {
  constexpr std::array kActivations{FfnActivation::kRelu, FfnActivation::kGelu, FfnActivation::kGeluTanh, FfnActivation::kSwiglu};
  constexpr std::array kTied{TiedEmbeddings::kNone, TiedEmbeddings::kDecoder, TiedEmbeddings::kAll, TiedEmbeddings::kAll};
  return {.encoder = all_heads()[c.heads].encoder,
          .decoder = all_heads()[c.heads].decoder,
          .hidden_size = 16,
          .activation = kActivations[c.activation],
          .bias = c.ends % 2 == 0,
          .norm = c.norm < 2 ? NormKind::kLayerNorm : NormKind::kRmsNorm,
          .norm_position = c.norm % 2 == 0 ? NormPosition::kPre : NormPosition::kPost,
          .positions = all_positions()[c.positions].positions,
          .rope_pairing = all_positions()[c.positions].pairing,
          .rope_base = 100,
          .max_length = 8,
          .tied_embeddings = kTied[c.ends],
          .dropout = 0.2,
          .attention_dropout = 0.1,
          .activation_dropout = 0.1,
          .source_vocab_size = kVocabulary,
          .target_vocab_size = kVocabulary};
}

std::string name_of(const Combination& c) {
  const std::array<const char*, 4> activations{"relu", "gelu", "gelu_tanh", "swiglu"};
  const std::array<const char*, 4> norms{"pre", "post", "pre_rms", "post_rms"};
  const std::array<const char*, 4> ends{"untied", "tied_decoder_no_bias", "tied_all", "tied_all_no_bias"};
  return std::string(all_positions()[c.positions].name) + "_" + all_heads()[c.heads].name + "_" + activations[c.activation] + "_" +
         norms[c.norm] + "_" + ends[c.ends];
}

TEST(DecodingCombinationsTableTest, EveryPairOfValuesOccurs) {
  const auto values = [](const Combination& c) { return std::array{c.positions, c.heads, c.activation, c.norm, c.ends}; };
  for (std::size_t a = 0; a < 5; ++a) {
    for (std::size_t b = a + 1; b < 5; ++b) {
      std::set<std::pair<std::size_t, std::size_t>> met;
      for (const Combination& c : combinations()) met.emplace(values(c)[a], values(c)[b]);
      EXPECT_EQ(met.size(), (a == 0 ? all_positions().size() : 4) * 4) << a << " and " << b;
    }
  }
}

using Values = std::vector<double>;

/// One model, asked for the log-probabilities of a next token in two ways.
class Speaker {
 public:
  Speaker(const ModelConfig& config, const Precision& precision) : tested_(config, *precision.table, precision.dtype, 3) {}

  /// From the loss of whole targets: with a weight on one row only, each label in turn. (rows of all targets, V), flat.
  Values whole(const Sequences& sources, const Sequences& targets) {
    std::size_t rows = 0;
    for (const auto& target : targets) rows += target.size();
    const Batch batch = make_batch(tested_.ctx, sources, targets, std::vector<std::int32_t>(rows, 0));
    Values result;
    for (std::size_t r = 0; r < rows; ++r) {
      std::fill_n(batch.weights.as<float>(), rows, 0.f);
      batch.weights.as<float>()[r] = 1;
      for (std::int32_t label = 0; label < kVocabulary; ++label) {
        batch.labels.as<std::int32_t>()[r] = label;
        result.push_back(-tested_.forward(batch)[LossSums::kNll]);
      }
    }
    return result;
  }

  std::unique_ptr<DecodeState> start(const Sequences& sources, int beams) {
    return tested_.model->start(tested_.ctx, make_rows(tested_.ctx, sources), beams, 8);
  }
  /// From the cache: (hypotheses, V), flat.
  Values step(DecodeState& state, const std::vector<std::int32_t>& tokens) {
    const auto n = static_cast<std::int64_t>(tokens.size());
    const Tensor logits = tested_.ctx.empty({n, kVocabulary}, sum_type(tested_.dtype));
    tested_.model->step(tested_.ctx, state, tested_.ctx.ints(tokens), logits);
    Values values = to_doubles(logits);
    for (auto row = values.begin(); row != values.end(); row += kVocabulary) {
      double sum = 0;
      std::for_each(row, row + kVocabulary, [&](double v) { sum += std::exp(v); });
      std::for_each(row, row + kVocabulary, [&](double& v) { v -= std::log(sum); });
    }
    return values;
  }
  void reorder(DecodeState& state, const std::vector<std::int32_t>& parents) {
    tested_.model->reorder(tested_.ctx, state, tested_.ctx.ints(parents));
  }
  ModelUnderTest& tested() { return tested_; }

 private:
  ModelUnderTest tested_;
};

Values row(const Values& values, std::size_t r) {
  const auto begin = values.begin() + static_cast<std::ptrdiff_t>(r * kVocabulary);
  return {begin, begin + kVocabulary};
}

class DecodingCombinationsTest : public testing::TestWithParam<Combination> {
 protected:
  const Sequences sources_{{5, 7, 2}, {9, 2}, {4, 6, 8, 3, 2}}, targets_{{1, 5, 8, 3}, {1, 6}, {1, 11, 12, 4, 7}};

  template <class Test>
  void in_each_precision(Test test) {
    for (const Precision& precision : all_precisions()) {
      SCOPED_TRACE(precision.name);
      Speaker speaker(config_of(GetParam()), precision);
      test(speaker, precision.tolerance);
    }
  }
};

TEST_P(DecodingCombinationsTest, StepsWithTheCacheSayWhatWholeTargetsSay) {
  in_each_precision([&](Speaker& speaker, double tolerance) {
    const Values expected = speaker.whole(sources_, targets_);
    const auto state = speaker.start(sources_, 1);
    for (std::size_t t = 0; t < 5; ++t) {
      std::vector<std::int32_t> tokens;  // past its end a sentence is fed anything
      for (const auto& target : targets_) tokens.push_back(t < target.size() ? target[t] : 10);
      const Values found = speaker.step(*state, tokens);
      std::size_t first = 0;
      for (std::size_t b = 0; b < targets_.size(); first += targets_[b++].size()) {
        if (t >= targets_[b].size()) continue;
        EXPECT_LT(relative_error(row(found, b), row(expected, first + t)), tolerance) << "sentence " << b << ", token " << t;
      }
    }
  });
}

TEST_P(DecodingCombinationsTest, ASentenceAloneSaysWhatItSaysInABatch) {
  in_each_precision([&](Speaker& speaker, double tolerance) {
    const Values together = speaker.whole(sources_, targets_);
    std::size_t first = 0;
    for (std::size_t b = 0; b < targets_.size(); first += targets_[b++].size()) {
      const Values alone = speaker.whole({sources_[b]}, {targets_[b]});
      const auto state = speaker.start({sources_[b]}, 1);
      for (std::size_t t = 0; t < targets_[b].size(); ++t) {
        EXPECT_LT(relative_error(row(alone, t), row(together, first + t)), tolerance) << b << ", token " << t;
        EXPECT_LT(relative_error(speaker.step(*state, {targets_[b][t]}), row(together, first + t)), tolerance) << b << ", token " << t;
      }
    }
  });
}

TEST_P(DecodingCombinationsTest, HypothesesThatAreReorderedKeepTheirHistories) {
  in_each_precision([&](Speaker& speaker, double tolerance) {
    const Sequences sources{sources_[0], sources_[1]};
    const auto state = speaker.start(sources, 2);
    speaker.step(*state, {1, 1, 1, 1});
    speaker.step(*state, {4, 5, 6, 7});
    speaker.reorder(*state, {1, 1, 3, 2});
    speaker.step(*state, {8, 9, 10, 11});
    speaker.reorder(*state, {1, 2});  // the others have finished
    const Values found = speaker.step(*state, {3, 12});
    EXPECT_LT(relative_error(row(found, 0), row(speaker.whole({sources[0]}, {{1, 5, 9, 3}}), 3)), tolerance);
    EXPECT_LT(relative_error(row(found, 1), row(speaker.whole({sources[1]}, {{1, 7, 10, 12}}), 3)), tolerance);
  });
}

TEST_P(DecodingCombinationsTest, PackedWeightsGiveTheSameBits) {
  in_each_precision([&](Speaker& speaker, double) {
    const auto two_steps = [&] {
      const auto state = speaker.start(sources_, 1);
      speaker.step(*state, {1, 1, 1});
      return speaker.step(*state, {5, 6, 11});
    };
    const Values plain = two_steps();
    const PackedWeights packed(speaker.tested().ctx, speaker.tested().set);
    EXPECT_EQ(two_steps(), plain);
  });
}

/// Of the heads of the last layer, one weight a pair; they add up to one. A row alone attends as it does in its batch.
TEST_P(DecodingCombinationsTest, AlignmentsAddUpAndDoNotDependOnTheBatch) {
  in_each_precision([&](Speaker& speaker, double tolerance) {
    ModelUnderTest& tested = speaker.tested();
    const auto attend = [&](const Sequences& sources, const Sequences& targets, std::int64_t rows, std::int64_t columns) {
      const Tensor weights = tested.ctx.empty({rows, columns}, DType::kFloat32);
      tested.model->attend(tested.ctx, make_rows(tested.ctx, sources), make_rows(tested.ctx, targets), weights);
      return to_doubles(weights);
    };
    const Values together = attend(sources_, targets_, 11, 5), alone = attend({sources_[1]}, {targets_[1]}, 2, 2);
    const double bound = std::max(tolerance, 1e-6);  // weights are float32
    for (std::size_t r = 0; r < 2; ++r) {
      const double first = together[(4 + r) * 5], second = together[(4 + r) * 5 + 1];
      EXPECT_NEAR(first + second, 1, bound);
      EXPECT_NEAR(alone[2 * r], first, bound);
      EXPECT_NEAR(alone[2 * r + 1], second, bound);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Pairwise, DecodingCombinationsTest, testing::ValuesIn(combinations()),
                         [](const auto& param) { return name_of(param.param); });

}  // namespace
}  // namespace weft::test

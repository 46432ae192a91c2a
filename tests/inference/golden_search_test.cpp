#include <gtest/gtest.h>

#include <numeric>

#include <fmt/format.h>

#include "inference/forced_decoding.h"
#include "inference/search/beam_search.h"
#include "runtime/files/storage.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

std::vector<std::vector<std::int32_t>> sentences_of(const Json& array) {
  std::vector<std::vector<std::int32_t>> sentences;
  for (const Json& sentence : array.as_array()) {
    sentences.emplace_back();
    for (const Json& id : sentence.as_array()) sentences.back().push_back(static_cast<std::int32_t>(id.as_int()));
  }
  return sentences;
}

/// The id lists under `name` of an array of objects.
std::vector<std::vector<std::int32_t>> sentences_of_member(const Json& array, const std::string& name) {
  Json lists = Json::array();
  for (const Json& object : array.as_array()) lists.push_back(object.at(name));
  return sentences_of(lists);
}

struct GoldenSearch {
  std::string file;
  Precision precision;
};

/// The model of a file, and what search must find in it.
class GoldenSearchTest : public testing::TestWithParam<GoldenSearch> {
 protected:
  GoldenSearchTest()
      : weights_("decoding/" + GetParam().file),
        tested_(golden_config(weights_), *GetParam().precision.table, GetParam().precision.dtype),
        tolerance_(GetParam().precision.dtype == DType::kFloat64 ? 1e-10 : 1e-4) {
    const std::string path = std::string(WEFT_SOURCE_DIR) + "/tests/golden/decoding/" + GetParam().file + ".json";
    golden_ = Json::parse(read_file(*make_posix_storage(), path, 1 << 20), path);
    tested_.bound.load(weights_);
  }

  SearchProblem problem(const Json& run, std::int64_t beam_size, std::int64_t batch_size) {
    const Json& penalty = run.at("length_penalty");
    const std::string kind = penalty.at("kind").as_string();
    return {.generator = *tested_.model,
            .limits = {.max_length = run.at("max_length").as_int(), .ratio = 100},
            .target = {},
            .source_vocab_size = tested_.config.source_vocab_size,
            .beam_size = static_cast<int>(beam_size),
            .n_best = static_cast<int>(run.at("n_best").as_int()),
            .length_penalty = kind == "avg"  ? LengthPenalty::kAverage
                              : kind == "wu" ? LengthPenalty::kWu
                                             : LengthPenalty::kNone,
            .alpha = kind == "none" ? 1 : penalty.at("alpha").as_double(),
            .batch_size = batch_size,
            .allow_unk = run.at("allow_unk").as_bool(),
            .logits_dtype = sum_type(GetParam().precision.dtype)};
  }

  void expect_hypotheses(const std::vector<Hypothesis>& found, const Json& expected) const {
    const std::vector<std::vector<std::int32_t>> tokens = sentences_of_member(expected, "tokens");
    ASSERT_EQ(found.size(), tokens.size());
    for (std::size_t i = 0; i < found.size(); ++i) {
      const Json& golden = expected.as_array()[i];
      EXPECT_EQ(found[i].tokens, tokens[i]) << i;
      EXPECT_NEAR(found[i].log_prob, golden.at("log_prob").as_double(), tolerance_) << i;
      EXPECT_NEAR(found[i].score, golden.at("score").as_double(), tolerance_) << i;
      EXPECT_NEAR(std::accumulate(found[i].token_log_probs.begin(), found[i].token_log_probs.end(), 0.0), found[i].log_prob, 1e-10) << i;
    }
  }

  GoldenFile weights_;
  Json golden_;
  ModelUnderTest tested_;
  double tolerance_;
};

TEST_P(GoldenSearchTest, BeamsFindTheGoldenListsWhateverTheBatches) {
  const auto sources = sentences_of(golden_.at("sources"));
  for (const Json& run : golden_.at("runs").as_array()) {
    for (const std::int64_t batch_size : {3, 20, 4096}) {
      SCOPED_TRACE(fmt::format("beam {}, {}, batch_size {}", run.at("beam").as_int(), run.at("length_penalty").dump(), batch_size));
      const auto found = beam_search(tested_.ctx, problem(run, run.at("beam").as_int(), batch_size), sources);
      for (std::size_t b = 0; b < sources.size(); ++b) {
        const Json& result = run.at("results").as_array()[b];  // where the two usual algorithms differ, it names the lists by algorithm
        expect_hypotheses(found[b], result.at(result.at("agree").as_bool() ? "hypotheses" : "constant"));
      }
    }
  }
  EXPECT_GE(golden_.at("runs").as_array().size(), 10u);
}

/// The file with so few symbols that all sequences can be listed.
class ExhaustiveSearchTest : public GoldenSearchTest {};

TEST_P(ExhaustiveSearchTest, ABeamThatPrunesNothingFindsTheBestOfAllSequences) {
  const auto sources = sentences_of(golden_.at("sources"));
  const Json& exhaustive = golden_.at("exhaustive");
  for (const Json& run : exhaustive.at("runs").as_array()) {
    const auto found = beam_search(tested_.ctx, problem(run, exhaustive.at("exact_beam").as_int(), 4096), sources);
    for (std::size_t b = 0; b < sources.size(); ++b) expect_hypotheses(found[b], run.at("results").as_array()[b]);
  }
}

TEST_P(GoldenSearchTest, GivenTargetsHaveTheGoldenProbabilities) {
  const auto sources = sentences_of(golden_.at("sources"));
  for (const std::string list : {"forced", "greedy"}) {
    const auto targets = sentences_of_member(golden_.at(list), "tokens");
    for (const std::int64_t batch_size : {3, 20, 4096}) {
      const SearchProblem scoring{.generator = *tested_.model,
                                  .limits = {.max_length = 14},
                                  .target = {},
                                  .source_vocab_size = tested_.config.source_vocab_size,
                                  .batch_size = batch_size,
                                  .logits_dtype = sum_type(GetParam().precision.dtype)};
      const auto found = score_targets(tested_.ctx, scoring, sources, targets);
      for (std::size_t b = 0; b < sources.size(); ++b) {
        const auto& expected = golden_.at(list).as_array()[b].at("token_log_probs").as_array();
        ASSERT_EQ(found[b].size(), expected.size());
        for (std::size_t t = 0; t < expected.size(); ++t) EXPECT_NEAR(found[b][t], expected[t].as_double(), tolerance_) << b << " " << t;
      }
    }
  }
}

std::vector<GoldenSearch> searches_in(const std::vector<std::string>& files) {
  std::vector<GoldenSearch> searches;
  for (const std::string& file : files) {
    for (const Precision& precision : all_precisions()) {
      if (precision.dtype != DType::kBFloat16) searches.push_back({file, precision});  // bf16 has no golden outputs
    }
  }
  return searches;
}

std::string name_of(const testing::TestParamInfo<GoldenSearch>& test) {
  return test.param.file + "_" + test.param.precision.name;
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenSearchTest, testing::ValuesIn(searches_in({"translation", "small_vocabulary"})), name_of);
INSTANTIATE_TEST_SUITE_P(Files, ExhaustiveSearchTest, testing::ValuesIn(searches_in({"small_vocabulary"})), name_of);

}  // namespace
}  // namespace weft::test

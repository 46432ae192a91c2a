#include <gtest/gtest.h>

#include "inference/greedy.h"
#include "runtime/storage.h"
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

struct GoldenSearch {
  std::string file;
  Precision precision;
};

class GoldenSearchTest : public testing::TestWithParam<GoldenSearch> {};

/// The golden list of a run: both algorithms agree on it with a beam of one.
std::vector<std::vector<std::int32_t>> best_of(const Json& run) {
  Json tokens = Json::array();
  for (const Json& result : run.at("results").as_array()) tokens.push_back(result.at("hypotheses").as_array().front().at("tokens"));
  return sentences_of(tokens);
}

TEST_P(GoldenSearchTest, GreedyFindsTheGoldenOutputs) {
  const auto& [name, precision] = GetParam();
  const std::string path = std::string(WEFT_SOURCE_DIR) + "/tests/golden/decoding/" + name + ".json";
  const Json golden = Json::parse(read_file(*make_posix_storage(), path, 1 << 20), path);
  const GoldenFile weights("decoding/" + name);
  ModelUnderTest tested(golden_config(weights), *precision.table, precision.dtype);
  tested.bound.load(weights);
  const auto sources = sentences_of(golden.at("sources"));
  int runs = 0;
  for (const Json& run : golden.at("runs").as_array()) {
    if (run.at("beam").as_int() != 1) continue;
    ++runs;
    for (const std::int64_t batch_size : {3, 20, 4096}) {
      const SearchProblem problem{.generator = *tested.model,
                                  .limits = {.max_length = run.at("max_length").as_int(), .ratio = 100},
                                  .target = {},
                                  .source_vocab_size = tested.config.source_vocab_size,
                                  .batch_size = batch_size,
                                  .allow_unk = run.at("allow_unk").as_bool(),
                                  .logits_dtype = sum_type(precision.dtype)};
      EXPECT_EQ(greedy_search(tested.ctx, problem, sources), best_of(run)) << "batch_size " << batch_size;
    }
  }
  EXPECT_GE(runs, 1) << "the file has runs with a beam of one";
}

std::vector<GoldenSearch> all_searches() {
  std::vector<GoldenSearch> searches;
  for (const std::string file : {"translation", "small_vocabulary"}) {
    for (const Precision& precision : all_precisions()) {
      if (precision.dtype != DType::kBFloat16) searches.push_back({file, precision});  // bf16 has no golden outputs
    }
  }
  return searches;
}

INSTANTIATE_TEST_SUITE_P(Files, GoldenSearchTest, testing::ValuesIn(all_searches()),
                         [](const auto& test) { return test.param.file + "_" + test.param.precision.name; });

}  // namespace
}  // namespace weft::test

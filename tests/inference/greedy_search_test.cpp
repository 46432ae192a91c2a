#include "inference/search/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>

#include "runtime/error.h"
#include "tests/inference/scripted_generator.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using Sentences = std::vector<std::vector<std::int32_t>>;

class GreedySearchTest : public testing::Test {
 protected:
  Sentences search(ScriptedGenerator& generator, const Sentences& sources) {
    SearchProblem problem{.generator = generator,
                          .limits = limits_,
                          .target = {},
                          .source_vocab_size = 50,
                          .batch_size = batch_size_,
                          .allow_unk = allow_unk_};
    const StepArena::Mark before = ctx_.context().memory.mark();
    Sentences outputs;
    for (const auto& found : beam_search(ctx_, problem, sources)) outputs.push_back(found.front().tokens);
    EXPECT_EQ(ctx_.context().memory.mark().front, before.front) << "all memory is given back";
    return outputs;
  }
  Sentences search(const ScriptedGenerator::Script& script, const Sentences& sources) {
    ScriptedGenerator generator(50, script);
    return search(generator, sources);
  }
  TestContext ctx_;
  SearchLimits limits_{.max_length = 30};
  std::int64_t batch_size_ = 40;
  bool allow_unk_ = false;
};

TEST_F(GreedySearchTest, OutputsComeInTheOrderOfTheSourcesWhateverTheBatches) {
  Sentences sources;
  for (std::int32_t i = 0; i < 60; ++i) {
    sources.emplace_back();
    for (std::int32_t t = 0; t < i * 7 % 11; ++t) sources.back().push_back(3 + (i * 13 + t) % 47);
    sources.back().push_back(2);
  }
  for (const std::int64_t size : {1, 13, 40, 100000}) {
    batch_size_ = size;
    ScriptedGenerator generator(50, copy_source);
    EXPECT_EQ(search(generator, sources), sources) << size;
    EXPECT_EQ(generator.batches.size() > 1, size < 1000);
  }
}

TEST_F(GreedySearchTest, SentencesThatHaveEndedAreNotStepped) {
  ScriptedGenerator generator(50, copy_source);
  search(generator, {{5, 2}, {6, 7, 8, 2}, {2}});
  EXPECT_EQ(generator.batches, std::vector<std::int64_t>{3});
  EXPECT_EQ(generator.rows, 2 + 4 + 1);
}

TEST_F(GreedySearchTest, BosNeverAndUnkOnlyWhenAllowed) {
  const auto likes_unk = [](const auto&, const auto& read, std::span<double> logits) {
    logits[1] = 9;
    logits[read.size() < 3 ? 0 : 2] = 8;
    logits[4] = 7;
  };
  EXPECT_THAT(search(likes_unk, {{5, 2}}), ElementsAre(ElementsAre(4, 4, 2)));
  allow_unk_ = true;
  EXPECT_THAT(search(likes_unk, {{5, 2}}), ElementsAre(ElementsAre(0, 0, 2)));
}

TEST_F(GreedySearchTest, TiesGoToTheLowerId) {
  const auto tied = [](const auto&, const auto& read, std::span<double> logits) {
    logits[read.size() > 1 ? 2 : 30] = logits[20] = logits[40] = 1;
  };
  EXPECT_THAT(search(tied, {{5, 2}}), ElementsAre(ElementsAre(20, 2)));
}

TEST_F(GreedySearchTest, TheEndWaitsForTheMinimumAndIsForcedAtTheLongestOutput) {
  const auto ends_at_once = [](const auto&, const auto&, std::span<double> logits) {
    logits[2] = 2;
    logits[7] = 1;
  };
  const auto never_ends = [](const auto&, const auto&, std::span<double> logits) { logits[7] = 1; };
  EXPECT_THAT(search(ends_at_once, {{5, 2}}), ElementsAre(ElementsAre(2)));
  limits_.min_length = 3;
  EXPECT_THAT(search(ends_at_once, {{5, 2}}), ElementsAre(ElementsAre(7, 7, 2)));
  limits_ = {.max_length = 4};
  EXPECT_THAT(search(never_ends, {{5, 2}}), ElementsAre(ElementsAre(7, 7, 7, 2)));
  limits_ = {.max_length = 100, .ratio = 1};
  const Sentences outputs = search(never_ends, {{5, 2}, {5, 6, 7, 8, 2}});  // of one batch, each with its own limit
  EXPECT_EQ(outputs[0].size(), 1u + 10 + 1);
  EXPECT_EQ(outputs[1].size(), 4u + 10 + 1);
}

TEST_F(GreedySearchTest, LogitsThatAreNotFiniteEndWith78) {
  for (const double bad :
       {std::numeric_limits<double>::quiet_NaN(), -std::numeric_limits<double>::infinity(), std::numeric_limits<double>::infinity()}) {
    const auto broken = [&](const auto&, const auto&, std::span<double> logits) { std::ranges::fill(logits, bad); };
    EXPECT_THAT(
        [&] {
          search(broken, {{5, 2}});
        },
        testing::Throws<Error>(testing::AllOf(testing::Property(&Error::code, ExitCode::kNumerics),
                                              testing::Property(&Error::what, testing::HasSubstr("not finite")))));
  }
}

TEST_F(GreedySearchTest, NothingToDecodeIsFineAndASourceWithoutEndIsNot) {
  EXPECT_TRUE(search(copy_source, {}).empty());
  EXPECT_THROW(search(copy_source, {{}}), Error);
  EXPECT_THROW(search(copy_source, {{50, 2}}), Error);  // outside the source vocabulary
}

}  // namespace
}  // namespace weft::test

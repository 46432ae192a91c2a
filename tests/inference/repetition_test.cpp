#include "inference/search/repetition.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "inference/search/beam_search.h"
#include "runtime/random.h"
#include "tests/inference/scripted_generator.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;
using Tokens = std::vector<std::int32_t>;

/// By the definition: whether some n-gram stands in the list twice.
bool repeats(const Tokens& tokens, std::size_t n) {
  std::set<Tokens> seen;
  for (std::size_t i = 0; i + n <= tokens.size(); ++i) {
    if (!seen.insert({tokens.begin() + static_cast<std::ptrdiff_t>(i), tokens.begin() + static_cast<std::ptrdiff_t>(i + n)}).second)
      return true;
  }
  return false;
}

TEST(RepetitionTest, TheForbiddenTokensAreThoseAfterWhichAnNGramStandsTwice) {
  const RandomKey key = random_key(1, "tokens");
  for (const std::size_t n : {1, 2, 3, 4}) {
    std::size_t forbidden = 0;
    for (std::uint64_t trial = 0; trial < 30; ++trial) {
      Tokens tokens;
      for (std::uint64_t i = 0; i < 40; ++i) {
        const auto ends = ends_of_repeated_ngrams(tokens, static_cast<std::int64_t>(n));
        Tokens expected;
        for (std::int32_t v = 0; v < 5; ++v) {
          Tokens longer = tokens;
          longer.push_back(v);
          if (repeats(longer, n)) expected.push_back(v);
        }
        ASSERT_EQ(ends, expected) << n << " " << testing::PrintToString(tokens);
        forbidden += ends.size();
        if (expected.size() == 5) break;
        std::int32_t next = static_cast<std::int32_t>(random_below(key, trial * 100 + i, 5));
        while (std::ranges::count(expected, next) > 0) next = (next + 1) % 5;
        tokens.push_back(next);
      }
    }
    EXPECT_GT(forbidden, 50u) << n;
  }
  EXPECT_THAT(ends_of_repeated_ngrams(Tokens{7, 7, 7}, 0), IsEmpty());
}

TEST(RepetitionTest, ThePenaltyDividesPositiveLogitsAndMultipliesNegativeOnesOnce) {
  TestContext ctx;
  for (const DType dtype : {DType::kFloat32, DType::kFloat64}) {
    const Tensor logits = ctx.floats({3, -2, 0, 1, -4, 6}, dtype, {1, 6});
    penalize_repetition(logits, Tokens{1, 5, 1, 2}, 2);
    EXPECT_THAT(to_doubles(logits), ElementsAre(3, -4, 0, 1, -4, 3));
    penalize_repetition(logits, Tokens{0, 1}, 1);
    EXPECT_THAT(to_doubles(logits), ElementsAre(3, -4, 0, 1, -4, 3));
  }
}

class RepetitiveSearchTest : public testing::Test {
 protected:
  Hypothesis search(const ScriptedGenerator::Script& script, const Repetition& repetition) {
    ScriptedGenerator generator(50, script);
    const SearchProblem problem{.generator = generator,
                                .limits = {.max_length = 12},
                                .target = {},
                                .source_vocab_size = 50,
                                .beam_size = beam_size_,
                                .length_penalty = LengthPenalty::kNone,
                                .repetition = repetition};
    return beam_search(ctx_, problem, std::vector<Tokens>{{5, 2}})[0].front();
  }
  TestContext ctx_;
  int beam_size_ = 1;
};

/// 7, then 8, then 9, then 10, whatever was read, all rather than the end.
void likes_sevens(const ScriptedGenerator::Tokens&, const ScriptedGenerator::Tokens&, std::span<double> logits) {
  for (const std::size_t v : {7, 8, 9, 10}) logits[v] = 10.0 - 0.5 * static_cast<double>(v);
  logits[2] = 3;
}

TEST_F(RepetitiveSearchTest, NoNGramComesTwiceAndTheBestOfTheRestDoes) {
  EXPECT_THAT(search(likes_sevens, {}).tokens, ElementsAre(7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 2));
  EXPECT_THAT(search(likes_sevens, {.ngram = 1}).tokens, ElementsAre(7, 8, 9, 10, 2));
  EXPECT_THAT(search(likes_sevens, {.ngram = 2}).tokens, ElementsAre(7, 7, 8, 7, 9, 7, 10, 7, 2));
  beam_size_ = 4;
  for (const std::size_t n : {1, 2, 3}) EXPECT_FALSE(repeats(search(likes_sevens, {.ngram = static_cast<std::int64_t>(n)}).tokens, n));
}

TEST_F(RepetitiveSearchTest, TheProbabilitiesAreOfThePenalizedLogits) {
  const auto two_words = [](const auto&, const auto& read, std::span<double> logits) {
    std::ranges::fill(logits, -1e9);
    logits[7] = 2;
    logits[8] = -1;
    logits[2] = read.size() > 2 ? 1 : -1e9;
  };
  const Hypothesis found = search(two_words, {.penalty = 4});
  EXPECT_THAT(found.tokens, ElementsAre(7, 7, 2));  // the second 7 has 2 / 4, before 8 with -1
  EXPECT_NEAR(found.token_log_probs[0], 2 - std::log(std::exp(2) + std::exp(-1)), 1e-6);
  EXPECT_NEAR(found.token_log_probs[1], 0.5 - std::log(std::exp(0.5) + std::exp(-1)), 1e-6);
  EXPECT_NEAR(found.token_log_probs[2], 1 - std::log(std::exp(1) + std::exp(0.5) + std::exp(-1)), 1e-6);
}

TEST_F(RepetitiveSearchTest, WhereNothingMayFollowTheEndComesAfterAll) {
  ScriptedGenerator generator(6, [](const auto&, const auto&, std::span<double> logits) { std::ranges::fill(logits, 1); });
  for (const int beam_size : {1, 3}) {
    const SearchProblem problem{.generator = generator,
                                .limits = {.min_length = 9, .max_length = 12},
                                .target = {},
                                .source_vocab_size = 50,
                                .beam_size = beam_size,
                                .repetition = {.ngram = 1}};
    EXPECT_THAT(beam_search(ctx_, problem, std::vector<Tokens>{{5, 2}})[0].front().tokens, ElementsAre(3, 4, 5, 2));
  }
}

}  // namespace
}  // namespace weft::test

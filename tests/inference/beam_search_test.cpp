#include "inference/search/beam_search.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

#include "tests/inference/scripted_generator.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

using testing::ElementsAre;

/// Logits that are log probabilities: what is not named is impossible.
void probabilities(std::span<double> logits, const std::vector<std::pair<std::size_t, double>>& of) {
  std::ranges::fill(logits, -1e9);
  for (const auto& [token, probability] : of) logits[token] = std::log(probability);
}

class BeamSearchTest : public testing::Test {
 protected:
  std::vector<Hypothesis> search(const ScriptedGenerator::Script& script) {
    ScriptedGenerator generator(50, script);
    const SearchProblem problem{.generator = generator,
                                .limits = limits_,
                                .target = {},
                                .source_vocab_size = 50,
                                .beam_size = options_.beam_size,
                                .n_best = options_.n_best,
                                .length_penalty = options_.penalty,
                                .alpha = options_.alpha};
    const std::vector<std::vector<std::int32_t>> sources{{5, 2}};
    return beam_search(ctx_, problem, sources)[0];
  }
  struct {
    int beam_size = 2, n_best = 1;
    LengthPenalty penalty = LengthPenalty::kNone;
    double alpha = 1;
  } options_;
  SearchLimits limits_{.max_length = 30};
  TestContext ctx_;
};

/// 3 looks better at first (0.6 against 0.4), 4 is better in the end (0.4 x 0.9 against 0.6 x 0.3).
void garden_path(const ScriptedGenerator::Tokens&, const ScriptedGenerator::Tokens& read, std::span<double> logits) {
  if (read.size() == 1) return probabilities(logits, {{3, 0.6}, {4, 0.4}});
  if (read.size() == 2 && read[1] == 3) return probabilities(logits, {{5, 0.3}, {6, 0.3}, {7, 0.2}, {8, 0.2}});
  if (read.size() == 2) return probabilities(logits, {{9, 0.9}, {10, 0.1}});
  probabilities(logits, {{2, 1}});
}

TEST_F(BeamSearchTest, AWiderBeamFindsWhatGreedySearchMisses) {
  options_.beam_size = 1;
  EXPECT_THAT(search(garden_path).front().tokens, ElementsAre(3, 5, 2));
  options_.beam_size = 2;
  const Hypothesis best = search(garden_path).front();
  EXPECT_THAT(best.tokens, ElementsAre(4, 9, 2));
  EXPECT_NEAR(best.log_prob, std::log(0.36), 1e-6);
}

TEST_F(BeamSearchTest, EqualHypothesesGoByParentThenById) {
  const auto tied = [](const auto&, const auto& read, std::span<double> logits) {
    if (read.size() < 3) return probabilities(logits, {{20, 0.25}, {30, 0.25}, {10, 0.25}, {40, 0.25}});
    probabilities(logits, {{2, 1}});
  };
  options_.beam_size = options_.n_best = 3;
  const std::vector<Hypothesis> found = search(tied);
  EXPECT_THAT(found[0].tokens, ElementsAre(10, 10, 2));
  EXPECT_THAT(found[1].tokens, ElementsAre(10, 20, 2));
  EXPECT_THAT(found[2].tokens, ElementsAre(10, 30, 2));
}

TEST_F(BeamSearchTest, ThePenaltyOrdersTheFinished) {
  const auto short_or_long = [](const auto&, const auto& read, std::span<double> logits) {
    if (read.size() == 1) return probabilities(logits, {{2, 0.5}, {7, 0.5}});
    if (read.size() < 4) return probabilities(logits, {{7, 0.9}, {8, 0.1}});
    probabilities(logits, {{2, 1}});
  };
  EXPECT_THAT(search(short_or_long).front().tokens, ElementsAre(2));
  options_.penalty = LengthPenalty::kAverage;
  const Hypothesis best = search(short_or_long).front();
  EXPECT_THAT(best.tokens, ElementsAre(7, 7, 7, 2));
  EXPECT_NEAR(best.score, std::log(0.5 * 0.9 * 0.9) / 4, 1e-6);
}

TEST_F(BeamSearchTest, AnEndDoesNotTakeThePlaceOfALiveHypothesis) {
  const auto ends_early = [](const auto&, const auto& read, std::span<double> logits) {
    if (read.size() == 1) return probabilities(logits, {{2, 0.5}, {7, 0.3}, {8, 0.2}});
    if (read.size() == 2 && read[1] == 7) return probabilities(logits, {{10, 0.25}, {11, 0.25}, {12, 0.25}, {13, 0.25}});
    probabilities(logits, {{2, 1}});
  };
  options_.n_best = 2;
  const std::vector<Hypothesis> found = search(ends_early);
  EXPECT_THAT(found[0].tokens, ElementsAre(2));
  EXPECT_THAT(found[1].tokens, ElementsAre(8, 2));
}

TEST_F(BeamSearchTest, TheLimitsHoldForEveryHypothesis) {
  const auto flat = [](const auto&, const auto&, std::span<double> logits) { std::ranges::fill(logits, 0); };
  options_.beam_size = options_.n_best = 8;
  limits_ = {.min_length = 3, .max_length = 5};
  for (const Hypothesis& h : search(flat)) {
    EXPECT_GE(h.tokens.size(), 3u);
    EXPECT_LE(h.tokens.size(), 5u);
    EXPECT_EQ(h.tokens.back(), 2);
    EXPECT_NEAR(h.log_prob, -static_cast<double>(h.tokens.size()) * std::log(50), 1e-5);
  }
}

TEST(LengthPenaltyTest, FollowsItsFormula) {
  EXPECT_DOUBLE_EQ(penalized(-6, 4, LengthPenalty::kNone, 0.6), -6);
  EXPECT_DOUBLE_EQ(penalized(-6, 4, LengthPenalty::kAverage, 0.5), -3);
  EXPECT_DOUBLE_EQ(penalized(-6, 4, LengthPenalty::kWu, 1), -4);
  EXPECT_DOUBLE_EQ(penalized(-6, 4, LengthPenalty::kWu, 0), -6);
}

}  // namespace
}  // namespace weft::test

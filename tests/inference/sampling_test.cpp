#include "inference/search/sampling.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <numeric>

#include "tests/inference/scripted_generator.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

using testing::Ge;
using Tokens = std::vector<std::int32_t>;

/// 7 with 0.5, 8 with 0.3, the end with 0.2, at every step.
void three_ways(const ScriptedGenerator::Tokens&, const ScriptedGenerator::Tokens&, std::span<double> logits) {
  std::ranges::fill(logits, -1e9);
  logits[7] = std::log(0.5);
  logits[8] = std::log(0.3);
  logits[2] = std::log(0.2);
}

class SamplingTest : public testing::Test {
 protected:
  std::vector<std::vector<Hypothesis>> sample(std::size_t lines, std::int64_t first_number = 1) {
    ScriptedGenerator generator(50, three_ways);
    const SearchProblem problem{.generator = generator,
                                .limits = limits_,
                                .target = {},
                                .source_vocab_size = 50,
                                .beam_size = n_best_,
                                .n_best = n_best_,
                                .batch_size = batch_size_,
                                .sampling = sampling_};
    std::vector<Tokens> sources;
    std::vector<std::int64_t> numbers(lines);
    std::iota(numbers.begin(), numbers.end(), first_number);
    for (const std::int64_t number : numbers) sources.emplace_back(Tokens(static_cast<std::size_t>(number % 5), 9)).push_back(2);
    return sample_outputs(ctx_, problem, sources, numbers);
  }
  std::vector<Tokens> texts(std::size_t lines, std::int64_t first_number = 1) {
    std::vector<Tokens> all;
    for (const auto& outputs : sample(lines, first_number)) {
      for (const Hypothesis& output : outputs) all.push_back(output.tokens);
    }
    return all;
  }
  TestContext ctx_;
  int n_best_ = 1;
  std::int64_t batch_size_ = 2000;
  Sampling sampling_;
  SearchLimits limits_{.max_length = 30};
};

TEST_F(SamplingTest, OutputsAreAsFrequentAsTheModelSays) {
  constexpr double kLines = 4000;
  std::map<Tokens, double> share;
  for (const Tokens& tokens : texts(kLines)) share[tokens] += 1 / kLines;
  const auto near = [&](double p) { return testing::DoubleNear(p, 4 * std::sqrt(p * (1 - p) / kLines)); };
  EXPECT_THAT(share[Tokens{2}], near(0.2));
  EXPECT_THAT((share[Tokens{7, 2}]), near(0.1));
  EXPECT_THAT((share[Tokens{8, 2}]), near(0.06));
  EXPECT_THAT((share[Tokens{7, 8, 2}]), near(0.03));
  EXPECT_THAT((share[Tokens{8, 7, 2}]), near(0.03));
}

TEST_F(SamplingTest, ALineKeepsItsDrawsWhateverIsDecodedBesideIt) {
  n_best_ = 3;
  const std::vector<Tokens> together = texts(40);
  for (const std::int64_t size : {1, 17, 100000}) {
    batch_size_ = size;
    EXPECT_EQ(texts(40), together) << size;
  }
  std::vector<Tokens> one_by_one;
  for (std::int64_t number = 1; number <= 40; ++number) {
    for (Tokens& tokens : texts(1, number)) one_by_one.push_back(std::move(tokens));
  }
  EXPECT_EQ(one_by_one, together);
  sampling_.seed = 2;
  EXPECT_NE(texts(40), together);
}

TEST_F(SamplingTest, TheDrawsOfALineDifferAndComeBestFirst) {
  n_best_ = 50;
  const std::vector<Hypothesis> outputs = sample(1)[0];
  ASSERT_EQ(outputs.size(), 50u);
  std::map<Tokens, int> different;
  for (std::size_t i = 0; i < outputs.size(); ++i) {
    ++different[outputs[i].tokens];
    EXPECT_GE(outputs[i > 0 ? i - 1 : 0].score, outputs[i].score);
    double log_prob = 0;
    for (const std::int32_t token : outputs[i].tokens) log_prob += std::log(token == 7 ? 0.5 : token == 8 ? 0.3 : 0.2);
    EXPECT_NEAR(outputs[i].log_prob, log_prob, 1e-5);
    EXPECT_NEAR(outputs[i].score, log_prob / static_cast<double>(outputs[i].tokens.size()), 1e-5);
  }
  EXPECT_THAT(different.size(), Ge(10u));
}

TEST_F(SamplingTest, TheLimitsHold) {
  limits_ = {.min_length = 4, .max_length = 6};
  std::map<std::size_t, int> lengths;
  for (const Tokens& tokens : texts(300)) ++lengths[tokens.size()];
  EXPECT_EQ(lengths.size(), 3u);
  EXPECT_EQ(lengths.begin()->first, 4u);
  EXPECT_EQ(lengths.rbegin()->first, 6u);
}

}  // namespace
}  // namespace weft::test

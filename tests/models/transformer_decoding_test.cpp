#include <algorithm>
#include <cmath>

#include <gtest/gtest.h>

#include "layers/packed_weights.h"
#include "runtime/error.h"
#include "runtime/kernels/matmul.h"
#include "tests/models/model_under_test.h"

namespace weft::test {
namespace {

constexpr std::int32_t kUnk = 0, kBos = 1, kEos = 2;

std::vector<std::int32_t> ints_of(const Json& array) {
  std::vector<std::int32_t> values;
  for (const Json& value : array.as_array()) values.push_back(static_cast<std::int32_t>(value.as_int()));
  return values;
}

std::vector<double> log_softmax(const double* logits, std::size_t count) {
  const double most = *std::max_element(logits, logits + count);
  double sum = 0;
  for (std::size_t v = 0; v < count; ++v) sum += std::exp(logits[v] - most);
  std::vector<double> log_probs;
  for (std::size_t v = 0; v < count; ++v) log_probs.push_back(logits[v] - most - std::log(sum));
  return log_probs;
}

class GoldenDecodingTest : public testing::TestWithParam<Precision> {
 protected:
  GoldenDecodingTest()
      : file_("decoding/translation"),
        expected_(
            Json::parse(read_file(*make_posix_storage(), std::string(WEFT_SOURCE_DIR) + "/tests/golden/decoding/translation.json", 1 << 20),
                        "translation.json")),
        tested_(golden_config(file_), *GetParam().table, GetParam().dtype),
        tolerance_(GetParam().dtype == DType::kFloat64 ? 1e-10 : 1e-4) {
    tested_.bound.load(file_);
  }
  Rows source() {
    Sequences sources;
    for (const Json& tokens : expected_.at("sources").as_array()) sources.push_back(ints_of(tokens));
    return make_rows(tested_.ctx, sources);
  }
  /// Log-probabilities (N, V) of the next token, flat.
  std::vector<std::vector<double>> step(DecodeState& state, const std::vector<std::int32_t>& tokens) {
    const auto n = static_cast<std::int64_t>(tokens.size());
    const Tensor logits = tested_.ctx.empty({n, tested_.model->vocab_size()}, sum_type(tested_.dtype));
    tested_.model->step(tested_.ctx, state, tested_.ctx.ints(tokens), logits);
    const std::vector<double> values = to_doubles(logits);
    const auto vocab = static_cast<std::size_t>(tested_.model->vocab_size());
    std::vector<std::vector<double>> log_probs;
    for (std::size_t i = 0; i < tokens.size(); ++i) log_probs.push_back(log_softmax(values.data() + i * vocab, vocab));
    return log_probs;
  }

  GoldenFile file_;
  Json expected_;
  ModelUnderTest tested_;
  double tolerance_;
};

TEST_P(GoldenDecodingTest, GreedyOutputsAreTheGoldenOnes) {
  constexpr std::size_t kMaxLength = 14;
  const auto& greedy = expected_.at("greedy").as_array();
  const auto state = tested_.model->start(tested_.ctx, source(), 1, kMaxLength);
  std::vector<std::vector<std::int32_t>> outputs(greedy.size());
  std::vector<double> log_probs(greedy.size(), 0);
  std::vector<std::size_t> live(greedy.size());
  for (std::size_t i = 0; i < live.size(); ++i) live[i] = i;
  while (!live.empty()) {
    std::vector<std::int32_t> tokens, parents;
    for (std::size_t i : live) tokens.push_back(outputs[i].empty() ? kBos : outputs[i].back());
    const auto next = step(*state, tokens);
    std::vector<std::size_t> survivors;
    for (std::size_t i = 0; i < live.size(); ++i) {
      std::vector<double> allowed = next[i];
      allowed[kUnk] = allowed[kBos] = -INFINITY;
      auto best = static_cast<std::int32_t>(std::max_element(allowed.begin(), allowed.end()) - allowed.begin());
      if (outputs[live[i]].size() + 1 == kMaxLength) best = kEos;
      outputs[live[i]].push_back(best);
      log_probs[live[i]] += next[i][static_cast<std::size_t>(best)];
      if (best == kEos) continue;
      survivors.push_back(live[i]);
      parents.push_back(static_cast<std::int32_t>(i));
    }
    if (!survivors.empty() && survivors.size() < live.size()) tested_.model->reorder(tested_.ctx, *state, tested_.ctx.ints(parents));
    live = survivors;
  }
  for (std::size_t i = 0; i < greedy.size(); ++i) {
    EXPECT_EQ(outputs[i], ints_of(greedy[i].at("tokens"))) << "sentence " << i;
    EXPECT_NEAR(log_probs[i], greedy[i].at("log_prob").as_double(), tolerance_ * std::abs(log_probs[i])) << "sentence " << i;
  }
}

TEST_P(GoldenDecodingTest, FirstAndForcedLogProbabilitiesMatch) {
  const auto& forced = expected_.at("forced").as_array();
  const auto state = tested_.model->start(tested_.ctx, source(), 1, 16);
  std::vector<std::vector<std::int32_t>> targets;
  std::size_t longest = 0;
  for (const Json& target : forced) {
    targets.push_back(ints_of(target.at("tokens")));
    longest = std::max(longest, targets.back().size());
  }
  std::vector<double> first;
  for (std::size_t t = 0; t < longest; ++t) {
    std::vector<std::int32_t> tokens;  // past its end a sentence is fed anything
    for (const auto& target : targets) tokens.push_back(t == 0 ? kBos : target[std::min(t, target.size()) - 1]);
    const auto next = step(*state, tokens);
    for (std::size_t i = 0; i < targets.size(); ++i) {
      if (t == 0) first.insert(first.end(), next[i].begin(), next[i].end());
      if (t >= targets[i].size()) continue;
      const double expected = forced[i].at("token_log_probs").as_array()[t].as_double();
      EXPECT_NEAR(next[i][static_cast<std::size_t>(targets[i][t])], expected, tolerance_ * std::abs(expected)) << i << ", token " << t;
    }
  }
  EXPECT_LT(relative_error(first, file_.doubles("output.first_log_probs")), tolerance_);
}

/// bfloat16 has no golden values here: its tokens may differ.
std::vector<Precision> exact_precisions() {
  std::vector<Precision> precisions = all_precisions();
  std::erase_if(precisions, [](const Precision& p) { return p.dtype == DType::kBFloat16; });
  return precisions;
}

TEST_P(GoldenDecodingTest, PackedWeightsGiveTheSameBits) {
  const std::vector<std::int32_t> tokens(expected_.at("sources").as_array().size(), kBos);
  const auto first_step = [&] { return step(*tested_.model->start(tested_.ctx, source(), 1, 4), tokens); };
  const auto plain = first_step();
  const PackedWeights packed(tested_.ctx, tested_.set);
  for (const Parameter& parameter : tested_.set.parameters()) {
    const bool is_packed = parameter.multiplied && kernels::packed_matmul_bytes(tested_.ctx.context().device, parameter.value, true) > 0;
    EXPECT_EQ(parameter.packed.defined(), is_packed) << parameter.parts.front().name;
  }
  EXPECT_EQ(first_step(), plain);
}

INSTANTIATE_TEST_SUITE_P(Precisions, GoldenDecodingTest, testing::ValuesIn(exact_precisions()),
                         [](const auto& param) { return param.param.name; });

class DecodingTest : public testing::Test {
 protected:
  DecodingTest() : tested_(small_config({}), reference_kernels(), DType::kFloat64) {}
  Rows source() { return make_rows(tested_.ctx, {{5, 7, 2}, {9, 2}}); }
  std::vector<double> step(DecodeState& state, const std::vector<std::int32_t>& tokens) {
    const Tensor logits = tested_.ctx.empty({static_cast<std::int64_t>(tokens.size()), tested_.model->vocab_size()}, DType::kFloat64);
    tested_.model->step(tested_.ctx, state, tested_.ctx.ints(tokens), logits);
    return to_doubles(logits);
  }
  /// Logits of hypothesis `h` among those that `step` returned.
  std::vector<double> row(const std::vector<double>& logits, std::size_t h) {
    const auto vocab = static_cast<std::ptrdiff_t>(tested_.model->vocab_size());
    const auto begin = logits.begin() + static_cast<std::ptrdiff_t>(h) * vocab;
    return {begin, begin + vocab};
  }
  /// The logits after a history, alone in the batch.
  std::vector<double> alone(const std::vector<std::int32_t>& source, const std::vector<std::int32_t>& history) {
    const StepArena::Mark mark = tested_.ctx.context().memory.mark();
    const auto state = tested_.model->start(tested_.ctx, make_rows(tested_.ctx, {source}), 1, 8);
    std::vector<double> logits;
    for (std::int32_t token : history) logits = step(*state, {token});
    tested_.ctx.context().memory.release(mark);
    return logits;
  }

  ModelUnderTest tested_;
};

TEST_F(DecodingTest, AHypothesisContinuesItsParentAcrossReorders) {
  const auto state = tested_.model->start(tested_.ctx, source(), 2, 8);
  step(*state, {1, 1, 1, 1});
  step(*state, {4, 5, 6, 7});
  tested_.model->reorder(tested_.ctx, *state, tested_.ctx.ints({1, 1, 3, 2}));
  std::vector<double> logits = step(*state, {8, 9, 10, 11});
  EXPECT_LT(relative_error(row(logits, 0), alone({5, 7, 2}, {1, 5, 8})), 1e-12);
  EXPECT_LT(relative_error(row(logits, 1), alone({5, 7, 2}, {1, 5, 9})), 1e-12);
  EXPECT_LT(relative_error(row(logits, 2), alone({9, 2}, {1, 7, 10})), 1e-12);
  EXPECT_LT(relative_error(row(logits, 3), alone({9, 2}, {1, 6, 11})), 1e-12);
  tested_.model->reorder(tested_.ctx, *state, tested_.ctx.ints({0, 3}));  // the others have finished
  logits = step(*state, {3, 12});
  EXPECT_LT(relative_error(row(logits, 0), alone({5, 7, 2}, {1, 5, 8, 3})), 1e-12);
  EXPECT_LT(relative_error(row(logits, 1), alone({9, 2}, {1, 6, 11, 12})), 1e-12);
}

TEST_F(DecodingTest, TooManyStepsAndWrongCountsFail) {
  EXPECT_THROW(tested_.model->start(tested_.ctx, source(), 1, 9), Error);  // max_length is 8
  const auto state = tested_.model->start(tested_.ctx, source(), 1, 1);
  EXPECT_THROW(step(*state, {1}), Error);
  step(*state, {1, 1});
  EXPECT_THROW(step(*state, {1, 1}), Error);
}

}  // namespace
}  // namespace weft::test

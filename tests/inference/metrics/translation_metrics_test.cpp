// BLEU, chrF and TER against sacreBLEU's figures.
#include <cmath>
#include <iterator>

#include <gtest/gtest.h>

#include "data/text/text_file.h"
#include "inference/metrics/bleu.h"
#include "inference/metrics/chrf.h"
#include "inference/metrics/ter.h"
#include "runtime/files/json.h"

namespace weft::test {
namespace {

constexpr double kTolerance = 1e-6;  // percent, absolute

struct Case {
  std::string name;
  std::vector<std::string> hypotheses;
  std::vector<References> references;
  Json expected;
};

Case read_case(const Json& json) {
  Case made{.name = json.at("name").as_string(), .hypotheses = {}, .references = {}, .expected = json.at("expected")};
  for (const Json& hypothesis : json.at("hypotheses").as_array()) made.hypotheses.push_back(hypothesis.as_string());
  made.references.resize(made.hypotheses.size());
  for (const Json& document : json.at("references").as_array()) {
    for (std::size_t i = 0; i < made.references.size(); ++i) {
      const Json& text = document.as_array()[i];
      if (!text.is_null()) made.references[i].push_back(text.as_string());
    }
  }
  return made;
}

std::vector<Case> cases() {
  const std::string path = WEFT_SOURCE_DIR "/tests/golden/metrics/translation.json";
  std::vector<Case> all;
  const Json file = Json::parse(read_whole_file(path), path);
  for (const Json& json : file.at("cases").as_array()) all.push_back(read_case(json));
  EXPECT_EQ(all.size(), 22u);
  return all;
}

void expect_bleu(const Case& given, const Json& expected, BleuTokenizer tokenizer) {
  SCOPED_TRACE(given.name + ", " + std::string(name(tokenizer)));
  const Metric metric = bleu_metric(tokenizer);
  const BleuScore found = bleu_score(sum(sentence_statistics(metric, given.hypotheses, given.references)));
  EXPECT_NEAR(found.score, expected.at("score").as_double(), kTolerance);
  EXPECT_NEAR(found.brevity_penalty, expected.at("brevity_penalty").as_double(), kTolerance);
  EXPECT_EQ(found.hypothesis_length, expected.at("hypothesis_length").as_double());
  EXPECT_EQ(found.reference_length, expected.at("reference_length").as_double());
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    EXPECT_EQ(found.counts[n], expected.at("counts").as_array()[n].as_double()) << n + 1;
    EXPECT_EQ(found.totals[n], expected.at("totals").as_array()[n].as_double()) << n + 1;
    EXPECT_NEAR(found.precisions[n], expected.at("precisions").as_array()[n].as_double(), kTolerance) << n + 1;
  }
  const MetricScore score = corpus_score(metric, given.hypotheses, given.references);
  EXPECT_EQ(score.score, found.score);
  EXPECT_EQ(score.signature, expected.at("signature").as_string());
}

void expect_sentences(const Case& given, const Json::Array& expected, const Metric& metric) {
  ASSERT_EQ(expected.size(), given.hypotheses.size());
  for (std::size_t i = 0; i < expected.size(); ++i) {
    EXPECT_NEAR(metric.score(metric.statistics(given.hypotheses[i], given.references[i])), expected[i].as_double(), kTolerance) << i;
  }
}

void expect_corpus_and_sentences(const Case& given, const std::string& key, const Metric& metric) {
  SCOPED_TRACE(given.name + ", " + key);
  const Json& expected = given.expected.at(key);
  const MetricScore found = corpus_score(metric, given.hypotheses, given.references);
  EXPECT_NEAR(found.score, expected.at("score").as_double(), kTolerance);
  EXPECT_EQ(found.signature, expected.at("signature").as_string());
  expect_sentences(given, expected.at("sentences").as_array(), metric);
}

TEST(TranslationMetricsTest, CorpusBleuEqualsSacreBleuWithEveryTokenizer) {
  int compared = 0;
  for (const Case& given : cases()) {
    for (const auto& [tokenizer, expected] : given.expected.at("bleu").as_object()) {
      expect_bleu(given, expected, tokenizer_of(tokenizer));
      ++compared;
    }
  }
  EXPECT_EQ(compared, 90);
}

TEST(TranslationMetricsTest, ChrfEqualsSacreBleu) {
  for (const Case& given : cases()) {
    expect_corpus_and_sentences(given, "chrf", chrf_metric());
    expect_corpus_and_sentences(given, "chrf++", chrf_metric(2));
  }
}

TEST(TranslationMetricsTest, TerEqualsSacreBleu) {
  for (const Case& given : cases()) expect_corpus_and_sentences(given, "ter", ter_metric());
}

TEST(BleuWordsTest, TextWithoutBlanksIsDoubted) {
  const std::string chinese = "敏捷的棕色狐狸跳过了懒狗然后回到森林里去找它的朋友们一起吃晚饭",
                    english = "the quick brown fox jumps over it";
  const std::vector<References> without(10, {chinese}), with(10, {english}), few(1, {chinese});
  for (const BleuTokenizer tokenizer : {BleuTokenizer::k13a, BleuTokenizer::kIntl, BleuTokenizer::kNone}) {
    EXPECT_NE(words_not_found(tokenizer, without), "");
    EXPECT_EQ(words_not_found(tokenizer, with), "");
    EXPECT_EQ(words_not_found(tokenizer, few), "");  // too little to tell
  }
  for (const BleuTokenizer tokenizer : {BleuTokenizer::kZh, BleuTokenizer::kChar}) EXPECT_EQ(words_not_found(tokenizer, without), "");
}

}  // namespace
}  // namespace weft::test

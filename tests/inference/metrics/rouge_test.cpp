#include "inference/metrics/rouge.h"

#include <gtest/gtest.h>

#include "data/text/text_file.h"
#include "runtime/error.h"
#include "runtime/files/json.h"

namespace weft::test {
namespace {

RougeTokenizer tokenizer_named(const std::string& name) {
  if (name == "char") return RougeTokenizer::kChar;
  return name == "whitespace" ? RougeTokenizer::kWhiteSpace : RougeTokenizer::kRouge;
}

void expect_figures(const RougeFigures& found, const Json& expected, const std::string& what) {
  EXPECT_NEAR(found.precision, expected.at("precision").as_double(), 1e-8) << what;
  EXPECT_NEAR(found.recall, expected.at("recall").as_double(), 1e-8) << what;
  EXPECT_NEAR(found.f1, expected.at("f1").as_double(), 1e-8) << what;
}

TEST(RougeTest, EqualsRougeScore) {
  const std::string path = WEFT_SOURCE_DIR "/tests/golden/metrics/rouge.json";
  const Json file = Json::parse(read_whole_file(path), path);
  EXPECT_EQ(file.at("cases").as_array().size(), 17u);
  for (const Json& given : file.at("cases").as_array()) {
    References references;
    for (const Json& reference : given.at("references").as_array()) references.push_back(reference.as_string());
    const RougeScore found =
        rouge_score(given.at("hypothesis").as_string(), references, tokenizer_named(given.at("tokenizer").as_string()));
    const std::string name = given.at("name").as_string();
    expect_figures(found.rouge1, given.at("expected").at("rouge1"), name + ", rouge1");
    expect_figures(found.rouge2, given.at("expected").at("rouge2"), name + ", rouge2");
    expect_figures(found.rouge_l, given.at("expected").at("rougeL"), name + ", rougeL");
  }
}

TEST(RougeTest, ACorpusHasTheMeanOfItsTexts) {
  const std::vector<std::string> hypotheses{"a b", "c"};
  const std::vector<References> references{{"a b"}, {"d"}};
  EXPECT_DOUBLE_EQ(mean_rouge(hypotheses, references).rouge1.f1, 0.5);
  EXPECT_DOUBLE_EQ(mean_rouge(hypotheses, references).rouge2.f1, 0.5);
  EXPECT_THROW(mean_rouge(hypotheses, {references.data(), 1}), Error);
}

}  // namespace
}  // namespace weft::test

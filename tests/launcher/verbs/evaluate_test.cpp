#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/files/json.h"
#include "tests/launcher/outcome.h"
#include "tests/support/temporary_folder.h"

namespace weft::test {
namespace {

using testing::HasSubstr;

class EvaluateTest : public testing::Test {
 protected:
  void SetUp() override {
    write("hyp", "Two men are standing at the stove preparing food.\nA little girl climbs into a wooden playhouse.\n");
    write("ref", "Two guys are standing at the stove cooking food.\nA little girl is climbing into a wooden playhouse.\n");
  }

  void write(const std::string& name, const std::string& text) const { write_text(path(name), text); }
  std::string path(const std::string& name) const { return folder_.file(name); }

  static std::vector<std::string> with_verb(std::vector<std::string> options) {
    options.insert(options.begin(), "evaluate");
    return options;
  }
  static std::string evaluate(const std::vector<std::string>& options) {
    const Outcome outcome = outcome_of(with_verb(options));
    EXPECT_EQ(outcome.code, 0) << outcome.err;
    return outcome.out;
  }
  static std::string refusal(const std::vector<std::string>& options) { return refusal_of(with_verb(options)); }

  TemporaryFolder folder_;
};

// The expected figures are sacreBLEU 2.6's for these two lines.
TEST_F(EvaluateTest, PrintsAMetricALineWithItsSignature) {
  EXPECT_EQ(evaluate({"--hyp", path("hyp"), "--ref", path("ref")}),
            "bleu 50.18 nrefs:1|case:mixed|eff:no|tok:13a|smooth:exp|version:2.6.0\n"
            "chrf 71.12 nrefs:1|case:mixed|eff:yes|nc:6|nw:0|space:no|version:2.6.0\n"
            "ter 22.22 nrefs:1|case:lc|tok:tercom|norm:no|punct:yes|asian:no|version:2.6.0\n");
  EXPECT_EQ(evaluate({"--hyp", path("hyp"), "--ref", path("ref"), path("hyp"), "--metrics", "chrf++"}),
            "chrf++ 100.00 nrefs:2|case:mixed|eff:yes|nc:6|nw:2|space:no|version:2.6.0\n");
}

TEST_F(EvaluateTest, JsonHasTheWholeNumber) {
  const std::string out = evaluate({"--hyp", path("hyp"), "--ref", path("ref"), "--metrics=bleu", "--tokenize=none", "--json"});
  const Json line = Json::parse(out, "stdout");
  EXPECT_EQ(line.at("metric").as_string(), "bleu");
  EXPECT_NEAR(line.at("score").as_double(), 47.08634429460378, 1e-9);
  EXPECT_THAT(line.at("signature").as_string(), HasSubstr("tok:none"));
}

TEST_F(EvaluateTest, ASecondSystemIsComparedByResampling) {
  const std::string out = evaluate({"--hyp", path("hyp"), "--hyp2", path("hyp"), "--ref", path("ref"), "--metrics", "chrf", "--json"});
  const Json line = Json::parse(out, "stdout");
  EXPECT_EQ(line.at("score").as_double(), line.at("score2").as_double());
  EXPECT_EQ(line.at("mean").as_double(), line.at("mean2").as_double());
  EXPECT_EQ(line.at("p").as_double(), 1.0);
  EXPECT_THAT(line.at("signature").as_string(), HasSubstr("nrefs:1|bs:1000|seed:1|case"));
}

TEST_F(EvaluateTest, WrongFilesAreRefused) {
  write("long", "a\nb\nc\n");
  write("empty", "");
  write("latin", "a\nb\xE9\n");
  EXPECT_EQ(refusal({"--hyp", path("hyp"), "--ref", path("long")}),
            "weft: evaluate: unequal numbers of lines\n  found     3 in " + path("long") + "\n  expected  2 as in " + path("hyp") + "\n");
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--hyp2", path("long"), "--ref", path("ref")}), HasSubstr("3 in " + path("long")));
  EXPECT_THAT(refusal({"--hyp", path("empty"), "--ref", path("ref")}), HasSubstr(path("empty") + ": no lines"));
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--ref", path("absent")}), HasSubstr(path("absent")));
  EXPECT_THAT(refusal({"--hyp", path("latin"), "--ref", path("ref")}), HasSubstr(path("latin") + ":2: byte 2 (0xe9) is not UTF-8"));
}

TEST_F(EvaluateTest, WrongOptionsAreRefused) {
  EXPECT_THAT(refusal({"--hyp", path("hyp")}), HasSubstr("--ref FILE"));
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--ref", path("ref"), "--metrics", "comet"}), HasSubstr("found     comet"));
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--ref", path("ref"), "--tokenize", "13b"}), HasSubstr("found     13b"));
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--ref", path("ref"), "--metrics", "chrf,ter", "--tokenize", "zh"}),
              HasSubstr("--tokenize without the metric bleu\n  found     --metrics chrf,ter"));
  EXPECT_THAT(refusal({"--model", "runs/ende"}), HasSubstr("expected  --model DIR --src FILE --ref FILE"));
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--ref", path("ref"), "--model", "runs/ende"}), HasSubstr("output and a model"));
  EXPECT_THAT(refusal({"--hyp", path("hyp"), "--ref", path("ref"), "--set", "decoding.beam_size=1"}), HasSubstr("--set without a model"));
  EXPECT_THAT(refusal({"--model", path("absent"), "--src", path("hyp"), "--ref", path("ref")}),
              HasSubstr(path("absent") + ": no such folder"));
  EXPECT_THAT(refusal({"--model", path("absent"), "--src", path("hyp"), "--ref", path("absent")}), HasSubstr("cannot be read"));
}

// What a model carries is read only where there is one; of --set beside --config the verb knows before.
TEST_F(EvaluateTest, KeysThatItDoesNotUseAreRefused) {
  write("c.yaml", "task: translation\n");
  const auto set = [&](const std::string& key) { return refusal({"-c", path("c.yaml"), "--set", key}); };
  EXPECT_EQ(set("training.lr=1e-3"),
            "weft: --set: training.learning_rate: not used by evaluate\n  expected  decoding.*, precision.*, device, seed, task, run_dir, "
            "data.valid, data.prepared or validation.tokenize, but not decoding.scores or decoding.alignment\n");
  EXPECT_THAT(set("decoding.scores=word"), HasSubstr("decoding.scores: not used by evaluate"));
  EXPECT_THAT(set("decoding={beam_size: 2}"), HasSubstr("the model, the sources or the references are missing"));
}

}  // namespace
}  // namespace weft::test

#include "inference/translator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/vocabulary/train_vocabulary.h"
#include "runtime/error.h"
#include "tests/data/prepare/small_text.h"
#include "tests/inference/scripted_generator.h"
#include "tests/support/temporary_folder.h"
#include "tests/support/test_context.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

Vocabulary small_vocabulary() {
  const TemporaryFolder folder;
  write_text(folder.file("text"), small_text(500, 7));
  train_vocabulary({folder.file("text")}, {.vocab_size = 320}, InvalidUtf8::kError, folder.file("vocab.model"));
  return Vocabulary::load(folder.file("vocab.model"));
}

class TranslatorTest : public testing::Test {
 protected:
  std::vector<std::string> translate(const std::vector<std::string>& lines, std::int64_t first_number = 1) {
    const SearchProblem problem = make_search_problem(generator_, {.beam_size = 1, .batch_size = 50}, vocabulary_, vocabulary_, 40);
    const Translator translator(problem, vocabulary_, vocabulary_, 20);
    std::vector<std::string> texts;
    const auto warn = [this](const std::string& warning) { warnings_.push_back(warning); };
    for (const auto& found : translator.translate(ctx_, lines, first_number, warn)) texts.push_back(found.front().text);
    return texts;
  }
  TestContext ctx_;
  Vocabulary vocabulary_ = small_vocabulary();
  ScriptedGenerator generator_{320, copy_source};
  std::vector<std::string> warnings_;
};

TEST_F(TranslatorTest, EveryLineGivesOneLineInItsOrder) {
  const std::vector<std::string> lines{"bako rihat", "", "süd", "   ", "tul mes dan fo", "lin", ""};
  EXPECT_THAT(translate(lines), ElementsAre("bako rihat", "", "süd", "", "tul mes dan fo", "lin", ""));
  EXPECT_TRUE(warnings_.empty());
  EXPECT_TRUE(translate({}).empty());
}

TEST_F(TranslatorTest, BrokenLinesAreRepairedAndLongOnesCroppedWithTheirNumbers) {
  std::string endless = "ba";
  for (int i = 0; i < 5000; ++i) endless += " ba";
  const std::vector<std::string> outputs = translate({"lin", "ba \xff", endless, std::string("a\0b", 3)}, 100);
  EXPECT_THAT(warnings_, ElementsAre("line 101: broken UTF-8 or NUL, repaired", "line 102: longer than 19 tokens, cropped",
                                     "line 103: broken UTF-8 or NUL, repaired"));
  EXPECT_EQ(outputs[0], "lin");
  EXPECT_EQ(outputs[1], "ba \uFFFD");
  EXPECT_EQ(vocabulary_.encode(outputs[2]).size(), 19u);
  EXPECT_EQ(outputs[3], "a\uFFFDb");
}

TEST_F(TranslatorTest, AControlCharacterSpelledInBytesDoesNotEndTheLine) {
  for (const std::string piece : {"<0x0A>", "<0x0D>", "<0x00>", "<0x1B>"}) {
    std::int32_t spelled = 0;
    while (vocabulary_.piece(spelled) != piece) ++spelled;
    generator_ = ScriptedGenerator(320, [&](const auto&, const auto& read, std::span<double> logits) {
      logits[static_cast<std::size_t>(read.size() < 3 ? spelled : 2)] = 1;
    });
    EXPECT_THAT(translate({"lin"}), ElementsAre("  ")) << piece;
  }
}

TEST_F(TranslatorTest, NBestComesWithItsScores) {
  const auto endings = [](const auto&, const auto& read, std::span<double> logits) {
    if (read.size() == 1) logits[300] = 20, logits[301] = 19;
    logits[2] = 15;
  };
  ScriptedGenerator generator(320, endings);
  const SearchProblem problem = make_search_problem(generator, {.beam_size = 3, .n_best = 2, .alpha = 0}, vocabulary_, vocabulary_, 40);
  const Translator translator(problem, vocabulary_, vocabulary_, 20);
  const auto outputs = translator.translate(ctx_, std::vector<std::string>{"lin", ""}, 1, [](const std::string&) {});
  ASSERT_EQ(outputs[0].size(), 2u);
  EXPECT_EQ(outputs[0][0].text, vocabulary_.decode(std::vector{300}));
  EXPECT_EQ(outputs[0][1].text, vocabulary_.decode(std::vector{301}));
  EXPECT_EQ(outputs[0][1].token_log_probs.size(), 2u);
  EXPECT_NEAR(outputs[0][0].score - outputs[0][1].score, 1, 1e-6);
  EXPECT_EQ(outputs[0][0].tokens, (std::vector{300, 2}));
  std::vector<std::int32_t> source = vocabulary_.encode("lin");
  source.push_back(2);
  EXPECT_EQ(outputs[0][1].source, source);
  ASSERT_EQ(outputs[1].size(), 2u);  // nothing to search for, but as many lines as for any other
  EXPECT_EQ(outputs[1][1].text, "");
}

TEST_F(TranslatorTest, MoreOutputsThanBeamsAndAnotherVocabularyAreRefused) {
  EXPECT_THAT([&] { make_search_problem(generator_, {.beam_size = 3, .n_best = 4}, vocabulary_, vocabulary_, 40); },
              testing::ThrowsMessage<Error>("decoding.n_best: 4 is more than decoding.beam_size, 3"));
  ScriptedGenerator other(321, copy_source);
  EXPECT_THAT([&] { make_search_problem(other, {}, vocabulary_, vocabulary_, 40); },
              testing::ThrowsMessage<Error>(HasSubstr("the target vocabulary has 320 entries, the model 321")));
}

}  // namespace
}  // namespace weft::test

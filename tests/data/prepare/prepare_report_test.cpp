// What a preparation tells of the text it was given.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/prepare/prepare.h"
#include "data/prepare/prepared.h"
#include "runtime/error.h"
#include "tests/data/prepare/small_text.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

class PrepareReportTest : public testing::Test {
 protected:
  PrepareReportTest() {
    config_.data.train = {{.src = folder_.write("a.en", numbers("house")), .tgt = folder_.write("a.de", numbers("Haus"))}};
    config_.vocab = {.type = VocabType::kWord, .share_vocab = false, .vocab_size = 20};
    config_.folder = folder_.path("prepared");
  }
  /// 100 lines: word0 word1, word1 word2, ...; 17 words.
  static std::string numbers(const std::string& word) {
    std::string text;
    for (int i = 0; i < 100; ++i) text += word + std::to_string(i % 17) + " " + word + std::to_string((i + 1) % 17) + "\n";
    return text;
  }
  TextFolder folder_;
  PrepareConfig config_;
};

TEST_F(PrepareReportTest, EveryTextHasAnAccountOfItsOwn) {
  config_.data.train.push_back(
      {.src = folder_.write("b.en", "house1\n\nhouse2 house3 house4 house5\n"), .tgt = folder_.write("b.de", "Haus1\nHaus2\nHaus3\n")});
  config_.data.valid = {.file = folder_.write("v.tsv", "Haus1\thouse1\n\thouse2\n"), .target_first = true};
  config_.limits = {4, 4};
  config_.data.max_skipped = 0.5;
  const PrepareReport report = prepare(config_);
  EXPECT_THAT(account_of(report),
              ElementsAre("train: 103 pairs, 101 kept; dropped: 1 empty, 1 too long",
                          "  " + folder_.path("a.en") + ", " + folder_.path("a.de") + ": 100 pairs, 100 kept",
                          "  " + folder_.path("b.en") + ", " + folder_.path("b.de") + ": 3 pairs, 1 kept; dropped: 1 empty, 1 too long",
                          "valid: 2 pairs, 1 kept; dropped: 1 empty"));
  EXPECT_THAT(report.warnings, IsEmpty());
  EXPECT_EQ(folder_.read("prepared/valid/text.src"), "house1\nhouse2\n");
  EXPECT_EQ(folder_.read("prepared/valid/text.tgt"), "Haus1\n\n");
}

TEST_F(PrepareReportTest, TheColumnsOfOneFileGiveTheSameDataAsTwoFiles) {
  prepare(config_);
  const std::string source = folder_.read("prepared/train/source.bin"), target = folder_.read("prepared/train/target.bin");
  std::string rows;
  std::istringstream en(folder_.read("a.en")), de(folder_.read("a.de"));
  for (std::string from, to; std::getline(en, from) && std::getline(de, to);) rows += to + "\t" + from + "\n";
  config_.data.train = {{.file = folder_.write("a.tsv", rows), .target_first = true}};
  EXPECT_NE(check_prepared(config_).state, PreparedState::kWhole);
  prepare(config_);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  EXPECT_EQ(folder_.read("prepared/train/source.bin"), source);
  EXPECT_EQ(folder_.read("prepared/train/target.bin"), target);
  config_.data.train[0].target_first = false;
  EXPECT_NE(check_prepared(config_).state, PreparedState::kWhole);
}

TEST_F(PrepareReportTest, WhenNoPairIsLeftEveryFilterIsNamedAndTheOneToChange) {
  config_.limits = {2, 2};
  EXPECT_THAT([&] { prepare(config_); },
              ThrowsMessage<Error>(
                  AllOf(HasSubstr("a.en, "), HasSubstr("a.de: no pair is left\n  found  "),
                        HasSubstr("100 pairs, 0 kept; dropped: 100 too long\n  expected  pairs of at most model.max_length = 2"))));
  config_.limits = {256, 256};
  config_.data.train = {{.src = folder_.write("b.en", "a\nb\n"), .tgt = folder_.write("b.de", "\n\n")}};
  config_.vocab = {.type = VocabType::kWord, .vocab_size = 5};
  EXPECT_THAT([&] { prepare(config_); }, ThrowsMessage<Error>(AllOf(HasSubstr("dropped: 2 empty\n  expected  text on both sides"))));
}

TEST_F(PrepareReportTest, WindowsLineEndsAreRemovedAndWarnedOfOnceWithTheirNumber) {
  prepare(config_);
  const std::string whole = folder_.read("prepared/train/target.bin");
  std::string windows = folder_.read("a.de");
  for (std::size_t at = 0; (at = windows.find('\n', at)) != std::string::npos; at += 2) windows.insert(at, "\r");
  config_.data.train[0].tgt = folder_.write("windows.de", windows);
  const PrepareReport report = prepare(config_);
  EXPECT_THAT(report.warnings, ElementsAre(AllOf(HasSubstr("windows.de: 100 of 100 lines end in CR LF"))));
  EXPECT_EQ(folder_.read("prepared/train/target.bin"), whole);
}

TEST_F(PrepareReportTest, TextsThatAreNamedTwiceAreWarnedOf) {
  config_.data.train.push_back({.src = folder_.write("copy.en", numbers("house")), .tgt = folder_.path("a.de")});
  config_.data.valid = config_.data.train[0];
  EXPECT_THAT(
      prepare(config_).warnings,
      ElementsAre(AllOf(HasSubstr("data.train[1]"), HasSubstr("copy.en"), HasSubstr("the same text as data.train[0]: it counts twice")),
                  AllOf(HasSubstr("data.valid"), HasSubstr("as data.train[0]: validation says nothing")),
                  AllOf(HasSubstr("data.valid"), HasSubstr("as data.train[1]: validation says nothing"))));
  config_.data.train = {{.src = folder_.path("a.en"), .tgt = folder_.path("a.en")}};
  config_.data.valid = {};
  EXPECT_THAT(prepare(config_).warnings, ElementsAre(HasSubstr("data.train[0]: ")));
}

TEST_F(PrepareReportTest, SidesThatFitTheOtherVocabularyAreCalledSwapped) {
  prepare(config_);
  config_.vocab.src = folder_.write("en.vocab", folder_.read("prepared/vocab.src.model"));
  config_.vocab.tgt = folder_.write("de.vocab", folder_.read("prepared/vocab.tgt.model"));
  EXPECT_THAT(prepare(config_).warnings, IsEmpty());
  std::swap(config_.data.train[0].src, config_.data.train[0].tgt);
  EXPECT_THAT(prepare(config_).warnings,
              ElementsAre(HasSubstr("source and target look swapped"), AllOf(HasSubstr("a.de: 100.0 % of the tokens are unknown")),
                          AllOf(HasSubstr("a.en: 100.0 % of the tokens are unknown"))));
}

TEST_F(PrepareReportTest, AValidationSetThatIsSwappedIsFoundByTheLearnedVocabularies) {
  config_.vocab = {.share_vocab = false, .vocab_size = 300};
  std::string en, de;
  for (const char* line :
       {"the small house near the old river", "where are the children of the teacher", "this thing was there with the others"})
    en += std::string(line) + "\n";
  for (const char* line : {"ein kleines Haus am alten Fluss", "wo sind die Kinder des Lehrers", "dieses Ding war dort bei den anderen"})
    de += std::string(line) + "\n";
  std::string many_en, many_de;
  for (int i = 0; i < 50; ++i) {
    many_en += en;
    many_de += de;
  }
  config_.data.train = {{.src = folder_.write("b.en", many_en), .tgt = folder_.write("b.de", many_de)}};
  config_.data.valid = {.src = folder_.write("v.en", en), .tgt = folder_.write("v.de", de)};
  EXPECT_THAT(prepare(config_).warnings, IsEmpty());
  std::swap(config_.data.valid.src, config_.data.valid.tgt);
  EXPECT_THAT(prepare(config_).warnings, ElementsAre(AllOf(HasSubstr("v.de, "), HasSubstr("look swapped"))));
}

TEST_F(PrepareReportTest, AVocabularyOfAnotherLanguageIsWarnedOfWithTheShare) {
  std::string list = "<unk>\n<s>\n</s>\nHaus1\n";
  for (int i = 0; i < 9; ++i) list += "house" + std::to_string(i) + "\n";
  config_.vocab = {.src = folder_.write("other", list), .type = VocabType::kWord};
  // 200 words on each side: Haus1 comes 12 times, so 188 are unknown; of English 9 x 12 words are known, which is more than half.
  EXPECT_THAT(prepare(config_).warnings, ElementsAre(HasSubstr("a.de: 94.0 % of the tokens are unknown")));
}

TEST_F(PrepareReportTest, AVocabularyOfAnotherTypeIsRefused) {
  config_.vocab.src = folder_.write("list", "<unk>\n<s>\n</s>\n \na\n");
  EXPECT_THAT([&] { prepare(config_); },
              ThrowsMessage<Error>(AllOf(HasSubstr("list: a character vocabulary"), HasSubstr("expected  a word vocabulary"))));
}

TEST_F(PrepareReportTest, IsPreparedFollowsTheTypeOfTheVocabulary) {
  prepare(config_);
  EXPECT_EQ(check_prepared(config_).state, PreparedState::kWhole);
  config_.vocab.type = VocabType::kChar;
  EXPECT_NE(check_prepared(config_).state, PreparedState::kWhole);
}

}  // namespace
}  // namespace weft::test

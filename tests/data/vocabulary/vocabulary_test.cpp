#include "data/vocabulary/vocabulary.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/vocabulary/train_vocabulary.h"
#include "runtime/error.h"
#include "tests/data/prepare/small_text.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;
using testing::ThrowsMessage;

class VocabularyTest : public testing::TestWithParam<VocabAlgorithm> {
 protected:
  VocabConfig config(std::int64_t size) const { return {.algorithm = GetParam(), .vocab_size = size}; }
  std::string train(std::int64_t size, const std::string& name) {
    train_vocabulary({text_}, config(size), InvalidUtf8::kError, folder_.path(name));
    return folder_.path(name);
  }
  TextFolder folder_;
  std::string text_ = folder_.write("text", small_text(500, 7));
};

TEST_P(VocabularyTest, LearnedVocabularyHasItsSizeAndSpecialIdsAndGivesTheTextBack) {
  const Vocabulary vocabulary = Vocabulary::load(train(320, "vocab.model"));
  EXPECT_EQ(vocabulary.size(), 320);
  EXPECT_EQ(vocabulary.special(), (SpecialIds{.unk = 0, .bos = 1, .eos = 2}));
  for (const std::string text : {"bako rihat", "südvor", "unseen Zeichen: 漢字 😀 q", "a\tb"}) {
    const std::vector<std::int32_t> ids = vocabulary.encode(text);
    EXPECT_THAT(ids, testing::Each(testing::AllOf(testing::Ge(3), testing::Lt(320)))) << text;  // bytes stand for what is unknown
    EXPECT_EQ(vocabulary.decode(ids), text);
  }
  EXPECT_TRUE(vocabulary.encode("").empty());
  EXPECT_TRUE(vocabulary.encode("  ").empty());
  std::vector<std::int32_t> framed = vocabulary.encode("bako");
  framed.insert(framed.begin(), 1);
  framed.push_back(2);
  EXPECT_EQ(vocabulary.decode(framed), "bako");
}

TEST_P(VocabularyTest, TextComesBackAsItWasUnlessNormalisingIsAskedFor) {
  const std::string text = folder_.write("wide", small_text(300, 3) + "ｆｕｌｌ，ｗｉｄｔｈ？ ½ … ™\n");
  const std::string line = "，？ ½…™ Ａ";
  const auto comes_back = [&](TextNormalization rule) {
    VocabConfig with_rule = config(400);
    with_rule.normalization = rule;
    train_vocabulary({text}, with_rule, InvalidUtf8::kError, folder_.path("with_rule"));
    const Vocabulary vocabulary = Vocabulary::load(folder_.path("with_rule"));
    return vocabulary.decode(vocabulary.encode(line + "  \u00e4 "));
  };
  EXPECT_EQ(comes_back(TextNormalization::kIdentity), line + " \u00e4");
  EXPECT_EQ(comes_back(TextNormalization::kNmtNfkc), ",? 1⁄2...TM A \u00e4");
  EXPECT_EQ(comes_back(TextNormalization::kNfkc), ",? 1⁄2...TM A \u00e4");
  EXPECT_EQ(comes_back(TextNormalization::kNmtNfkcCf), ",? 1⁄2...tm a \u00e4");
  EXPECT_EQ(comes_back(TextNormalization::kNfkcCf), ",? 1⁄2...tm a \u00e4");
}

TEST_P(VocabularyTest, PiecesAreWhatIdsStandFor) {
  const Vocabulary vocabulary = Vocabulary::load(train(320, "vocab.model"));
  std::string joined;
  for (const std::int32_t id : vocabulary.encode("bako q")) joined += vocabulary.piece(id);
  EXPECT_EQ(joined, "▁bako▁<0x71>");
  EXPECT_EQ(vocabulary.piece(2), "</s>");
  EXPECT_THROW(vocabulary.piece(320), Error);
}

TEST_P(VocabularyTest, TheSameTextGivesTheSameBytes) {
  train(320, "a");
  train(320, "b");
  EXPECT_EQ(folder_.read("a"), folder_.read("b"));
  EXPECT_EQ(Vocabulary::load(folder_.path("a")).fingerprint(), Vocabulary::load(folder_.path("b")).fingerprint());
  train(330, "c");
  EXPECT_NE(Vocabulary::load(folder_.path("a")).fingerprint(), Vocabulary::load(folder_.path("c")).fingerprint());
}

TEST_P(VocabularyTest, ASizeTheTextDoesNotAllowSaysWhatIsPossible) {
  EXPECT_THAT([&] { train(50000, "large"); }, ThrowsMessage<Error>(AllOf(HasSubstr("vocab.vocab_size: 50000"), HasSubstr("value <= "))));
  EXPECT_THAT([&] { train(100, "small"); }, ThrowsMessage<Error>(AllOf(HasSubstr("vocab.vocab_size: 100"), HasSubstr("100 vs 2"))));
  EXPECT_FALSE(std::filesystem::exists(folder_.path("large")));
}

INSTANTIATE_TEST_SUITE_P(Algorithms, VocabularyTest, testing::Values(VocabAlgorithm::kBpe, VocabAlgorithm::kUnigram),
                         [](const auto& test) { return test.param == VocabAlgorithm::kBpe ? "Bpe" : "Unigram"; });

TEST(TrainVocabularyTest, BrokenAndEndlessLinesDoNotStopIt) {
  const TextFolder folder;
  const std::string noise = "broken \xff line\n" + std::string("nul \0 line\n", 11) + std::string(3'000'000, 'z') + "\n\n";
  const std::string text = folder.write("text", small_text(300, 3) + noise + small_text(300, 4));
  train_vocabulary({text}, {.vocab_size = 320}, InvalidUtf8::kError, folder.path("vocab.model"));
  EXPECT_EQ(Vocabulary::load(folder.path("vocab.model")).size(), 320);
}

TEST(TrainVocabularyTest, NoTextIsAMistakeOfTheUser) {
  const TextFolder folder;
  const std::string empty = folder.write("empty", ""), blank = folder.write("blank", "\n\n");
  EXPECT_THAT([&] { train_vocabulary({empty}, {}, InvalidUtf8::kError, folder.path("v")); },
              ThrowsMessage<Error>(HasSubstr("empty: no text to learn")));
  EXPECT_THAT([&] { train_vocabulary({blank}, {}, InvalidUtf8::kError, folder.path("v")); },
              ThrowsMessage<Error>(HasSubstr("blank (2 lines)")));
}

TEST(VocabularyLoadTest, DamagedAndMissingFilesAreMistakesOfTheUser) {
  const TextFolder folder;
  const auto load = [&](const std::string& name) { return [&folder, name] { Vocabulary::load(folder.path(name)); }; };
  folder.write("garbage", "this is no model");
  folder.write("empty", "");
  const std::string text = folder.write("text", small_text(500, 7));
  train_vocabulary({text}, {.vocab_size = 320}, InvalidUtf8::kError, folder.path("whole"));
  folder.write("cut", folder.read("whole").substr(0, 5000));
  EXPECT_THAT(load("missing"), ThrowsMessage<Error>(HasSubstr("missing: vocabulary cannot be read")));
  EXPECT_THAT(load("garbage"), ThrowsMessage<Error>(HasSubstr("garbage: no SentencePiece model")));
  EXPECT_THAT(load("empty"), ThrowsMessage<Error>(HasSubstr("empty: 0 bytes")));
  EXPECT_THAT(load("cut"), ThrowsMessage<Error>(HasSubstr("cut: no SentencePiece model, or a damaged one")));
}

}  // namespace
}  // namespace weft::test

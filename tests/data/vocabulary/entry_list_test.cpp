// Vocabularies of words, characters and bytes.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/vocabulary/train_vocabulary.h"
#include "data/vocabulary/vocabulary.h"
#include "runtime/error.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::ThrowsMessage;

class EntryListTest : public testing::Test {
 protected:
  Vocabulary learn(const std::string& text, VocabType type, std::int64_t size) {
    folder_.write("text", text);
    train_vocabulary({folder_.path("text")}, {.type = type, .vocab_size = size}, InvalidUtf8::kError, folder_.path("vocab"));
    return Vocabulary::load(folder_.path("vocab"));
  }
  Vocabulary read(const std::string& list) { return Vocabulary::load(folder_.write("list", list)); }
  auto reading(const std::string& list) {
    return [this, list] { read(list); };
  }
  TextFolder folder_;
};

TEST_F(EntryListTest, WordsComeByFrequencyAndOfEqualsByTheirBytes) {
  const Vocabulary words = learn("the cat  saw\tthe dog\nthe zebra saw <s> </s> <unk>\n a\n", VocabType::kWord, 8);
  EXPECT_EQ(folder_.read("vocab"), "<unk>\n<s>\n</s>\nthe\nsaw\na\ncat\ndog\n");
  EXPECT_EQ(words.type(), VocabType::kWord);
  EXPECT_EQ(words.size(), 8);
  EXPECT_EQ(words.special(), (SpecialIds{.unk = 0, .bos = 1, .eos = 2}));
  EXPECT_THAT(words.encode("  the dog\tsaw  zebras "), ElementsAre(3, 7, 4, 0));
  EXPECT_THAT(words.encode("the </s> <s>"), ElementsAre(3, 0, 0));  // a text cannot end a sentence
  EXPECT_THAT(words.encode(" \t "), IsEmpty());
  EXPECT_EQ(words.decode(std::vector<std::int32_t>{1, 3, 7, 0, 4, 2}), "the dog <unk> saw");
  EXPECT_TRUE(words.is_unknown(0));
  EXPECT_FALSE(words.is_unknown(3));
}

TEST_F(EntryListTest, CharactersKeepTheTextButForBlanksAtItsEnds) {
  const Vocabulary characters = learn("aüa 漢a\nü b\n", VocabType::kChar, 8);
  EXPECT_EQ(folder_.read("vocab"), "<unk>\n<s>\n</s>\n \na\nü\nb\n漢\n");
  EXPECT_EQ(characters.type(), VocabType::kChar);
  EXPECT_THAT(characters.encode(" ab 漢\tx "), ElementsAre(4, 6, 3, 7, 3, 0));
  EXPECT_THAT(characters.encode("  "), IsEmpty());
  EXPECT_EQ(characters.decode(std::vector<std::int32_t>{4, 6, 3, 3, 7, 2}), "ab  漢");
}

TEST_F(EntryListTest, BytesNeedNoTextAndGiveAnyTextBack) {
  const Vocabulary bytes = learn("", VocabType::kByte, 32000);
  EXPECT_EQ(bytes.type(), VocabType::kByte);
  EXPECT_EQ(bytes.size(), 259);
  EXPECT_THAT(bytes.encode("A漢\n"), ElementsAre(3 + 0x41, 3 + 0xE6, 3 + 0xBC, 3 + 0xA2));
  const std::string text = "Ein Zeichen: 漢字 😀, two  blanks";
  EXPECT_EQ(bytes.decode(bytes.encode(text)), text);
  EXPECT_EQ(bytes.decode(std::vector<std::int32_t>{3 + 0x41, 3 + 0xE6, 2}), "A\xEF\xBF\xBD");
}

TEST_F(EntryListTest, ASizeTheTextDoesNotAllowSaysWhatIsPossible) {
  EXPECT_THAT([&] { learn("a b a\nc\n", VocabType::kWord, 7); },
              ThrowsMessage<Error>(AllOf(HasSubstr("vocab.vocab_size: 7 cannot be learned from"), HasSubstr("text (2 lines)"),
                                         HasSubstr("3 different words"), HasSubstr("<= 6"))));
  EXPECT_THAT([&] { learn("ab a\nc\n", VocabType::kChar, 8); },
              ThrowsMessage<Error>(AllOf(HasSubstr("3 different characters"), HasSubstr("<= 7"))));
  EXPECT_EQ(learn("a b a\nc\n", VocabType::kWord, 6).size(), 6);
}

TEST_F(EntryListTest, AListFromElsewhereMayPutItsSpecialEntriesAnywhere) {
  const Vocabulary words = read("</s>\r\nhouse\r\n<unk>\r\n<s>\r\n");
  EXPECT_EQ(words.special(), (SpecialIds{.unk = 2, .bos = 3, .eos = 0}));
  EXPECT_THAT(words.encode("house home"), ElementsAre(1, 2));
}

TEST_F(EntryListTest, WrongListsNameFileAndLine) {
  EXPECT_THAT(reading("<unk>\n<s>\nhouse\n"), ThrowsMessage<Error>(HasSubstr("list: the vocabulary has no </s>")));
  EXPECT_THAT(reading("<s>\n</s>\nhouse\n"), ThrowsMessage<Error>(HasSubstr("list: the vocabulary has no <unk>")));
  EXPECT_THAT(reading("<unk>\n<s>\n</s>\na\nb\na\n"), ThrowsMessage<Error>(HasSubstr("list:6: \"a\" is already in line 4")));
  EXPECT_THAT(reading("<unk>\n<s>\n</s>\n\na\n"), ThrowsMessage<Error>(HasSubstr("list:4: an empty entry")));
  EXPECT_THAT(reading("<unk>\n<s>\n</s>\nhouse 12\n"), ThrowsMessage<Error>(HasSubstr("list:4: a blank inside an entry")));
  EXPECT_THAT(reading("<unk>\t0\n<s>\t0\n"), ThrowsMessage<Error>(AllOf(HasSubstr("list:1: a blank"), HasSubstr(".model file"))));
  EXPECT_THAT(reading("<unk>\n<s>\n</s>\n \na\nab\n"), ThrowsMessage<Error>(HasSubstr("list:6: \"ab\" is more than a character")));
  EXPECT_THAT(reading("<unk>\n<s>\n</s>\na\xff\n"), ThrowsMessage<Error>(HasSubstr("list:4: not UTF-8")));
}

TEST_F(EntryListTest, TheSameTextGivesTheSameFingerprintAndAnotherOneAnother) {
  const std::uint64_t first = learn("a b c\n", VocabType::kWord, 6).fingerprint();
  EXPECT_EQ(learn("c b a\n", VocabType::kWord, 6).fingerprint(), first);
  EXPECT_NE(learn("c b d\n", VocabType::kWord, 6).fingerprint(), first);
}

}  // namespace
}  // namespace weft::test

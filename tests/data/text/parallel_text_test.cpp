#include "data/text/parallel_text.h"
#include "data/text/check_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "data/text/text_sample.h"
#include "runtime/error.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::ThrowsMessage;

std::vector<std::string> pairs_of(const ParallelText& text) {
  PairReader reader(text);
  std::vector<std::string> pairs;
  for (TextPair pair; reader.next(pair); pair = {}) {
    pairs.push_back(std::to_string(pair.number) + " " + pair.source.text + " | " + pair.target.text);
  }
  return pairs;
}

std::vector<std::string> lines_of(const TextColumn& column) {
  ColumnReader reader(column);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  return lines;
}

TEST(ParallelTextTest, TwoFilesAndTwoColumnsGiveTheSamePairs) {
  const TextFolder folder;
  const ParallelText two{.src = folder.write("en", "a b\n\n\"c\n"), .tgt = folder.write("de", "x\ny\n\n")};
  const ParallelText one{.file = folder.write("tsv", "a b\tx\n\ty\n\"c\t\n")};
  const ParallelText reversed{.file = folder.write("reversed", "x\ta b\r\ny\t\r\n\t\"c"), .target_first = true};
  for (const ParallelText& text : {two, one, reversed}) {
    EXPECT_THAT(pairs_of(text), ElementsAre("1 a b | x", "2  | y", "3 \"c | "));
    EXPECT_THAT(lines_of(column_of(text, Side::kSource)), ElementsAre("a b", "", "\"c"));
    EXPECT_THAT(lines_of(column_of(text, Side::kTarget)), ElementsAre("x", "y", ""));
    EXPECT_EQ(check_pairs(text, InvalidUtf8::kError), 3);
  }
}

TEST(ParallelTextTest, AWrongNumberOfTabsNamesFileAndLine) {
  const TextFolder folder;
  const ParallelText few{.file = folder.write("few.tsv", "a\tb\nc d\n")}, many{.file = folder.write("many.tsv", "a\tb\nc\td\t\n")};
  EXPECT_THAT([&] { pairs_of(few); }, ThrowsMessage<Error>(AllOf(HasSubstr("few.tsv:2: 1 column"), HasSubstr("one tab in a line"))));
  EXPECT_THAT([&] { check_pairs(many, InvalidUtf8::kError); }, ThrowsMessage<Error>(HasSubstr("many.tsv:2: 3 columns")));
  EXPECT_THAT([&] { lines_of({few.file, 2}); }, ThrowsMessage<Error>(HasSubstr("few.tsv:2: 1 column")));
}

TEST(ParallelTextTest, APairThatWasCutCountsAsTruncatedOnBothSides) {
  const TextFolder folder;
  const ParallelText text{.file = folder.write("tsv", std::string(2'000'000, 'a') + "\tb\n")};
  PairReader reader(text);
  TextPair pair;
  ASSERT_TRUE(reader.next(pair));
  EXPECT_TRUE(pair.source.truncated);
  EXPECT_TRUE(pair.target.truncated);
}

TEST(CheckTextTest, AnotherEncodingAndLinesOfCrAloneAreNamedBeforeAnythingIsLearned) {
  const TextFolder folder;
  const auto says = [&](const std::string& text, InvalidUtf8 policy) -> std::string {
    try {
      check_text(folder.write("text", text), policy);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ExitCode::kBadInput);
      return std::string(error.what()).substr(folder.path("text").size());
    }
    return "";
  };
  for (const InvalidUtf8 policy : {InvalidUtf8::kError, InvalidUtf8::kSkip, InvalidUtf8::kReplace}) {
    EXPECT_THAT(says(std::string("\xff\xfe"
                                 "a\0\n\0",
                                 6),
                     policy),
                HasSubstr(":1: the file looks like UTF-16\n"));
    EXPECT_THAT(says(std::string("a\0b\0c\0\n\0", 8), policy), HasSubstr(":1: the file looks like UTF-16\n"));
    EXPECT_THAT(says("a\rb\rc\rd\n", policy), HasSubstr(":1: 3 CR inside 1 line: its lines end in CR alone"));
    EXPECT_EQ(says("a\r\nb\r\nc\rd\r\n", policy), "");  // of Windows, with a stray one
  }
  EXPECT_THAT(says("a\nGr\xFC\xDF"
                   "e\n",
                   InvalidUtf8::kError),
              HasSubstr(":2: byte 3 (0xfc) is not UTF-8, as in Latin-1 or another 8-bit encoding\n"));
  EXPECT_THAT(says("\xE2\x82\n", InvalidUtf8::kError), HasSubstr(":1: byte 1 (0xe2) is not UTF-8\n"));
  EXPECT_THAT(says(std::string("abcdef\0\n", 8), InvalidUtf8::kError), HasSubstr(":1: byte 7 (0x00) is NUL\n"));
  EXPECT_EQ(says("a\nGr\xFC\xDF"
                 "e\n",
                 InvalidUtf8::kSkip),
            "");
}

TEST(TextSampleTest, ASmallTextIsTakenWholeButForUnusableLines) {
  const TextFolder folder;
  const std::vector<TextColumn> texts{folder.write("a", "one\n\ntw\xffo\n"), {folder.write("b", "x\tthree\ny\tfour\n"), 2}};
  TextSample sample(texts, {});
  EXPECT_EQ(sample.lines(), 5);
  std::vector<std::string> lines;
  for (std::string line; sample.next(line);) lines.push_back(line);
  EXPECT_THAT(lines, ElementsAre("one", "three", "four"));
  TextSample repaired(texts, {.invalid_utf8 = InvalidUtf8::kReplace});
  lines.clear();
  for (std::string line; repaired.next(line);) lines.push_back(line);
  EXPECT_THAT(lines, ElementsAre("one", "tw\uFFFDo", "three", "four"));
}

TEST(TextSampleTest, OfALargeTextAboutTheLimitIsTakenFromAllOverTheSameEachTime) {
  const TextFolder folder;
  std::string text;
  for (int i = 0; i < 40'000; ++i) text += std::to_string(100'000 + i) + "\n";
  const std::vector<TextColumn> texts{folder.write("a", text)};
  for (const SampleLimits& limits : {SampleLimits{.lines = 4000}, SampleLimits{.bytes = 24'000}}) {  // 6 bytes a line
    std::vector<std::string> first, again;
    for (std::vector<std::string>* lines : {&first, &again}) {
      TextSample sample(texts, limits);
      for (std::string line; sample.next(line);) lines->push_back(line);
    }
    EXPECT_EQ(first, again);
    EXPECT_NEAR(static_cast<double>(first.size()), 4000, 300);  // 5 standard deviations of a draw of one in ten
    const auto half = std::count_if(first.begin(), first.end(), [](const std::string& line) { return line < "120000"; });
    EXPECT_NEAR(static_cast<double>(half), 2000, 250);
    // Not every tenth line: a text that repeats every ten lines must not lose nine of them.
    std::array<int, 10> last_digits{};
    for (const std::string& line : first) ++last_digits[static_cast<std::size_t>(line.back() - '0')];
    EXPECT_THAT(last_digits, testing::Each(testing::Gt(250)));
  }
}

}  // namespace
}  // namespace weft::test

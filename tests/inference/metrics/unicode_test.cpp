#include "inference/metrics/unicode.h"

#include <gtest/gtest.h>

#include "inference/metrics/tokenize.h"

namespace weft::test {
namespace {

// Expected text is Python's str.lower().
TEST(UnicodeTest, LowerCaseKnowsFinalSigmaAndDottedI) {
  EXPECT_EQ(lower_case(U"ΟΔΥΣΣΕΥΣ ΣΑΣ."), U"οδυσσευς σας.");
  EXPECT_EQ(lower_case(U"Σ ΑΣ' ΑΣ'Α Α\u0301Σ\u0301"), U"σ ας' ασ'α α\u0301ς\u0301");
  EXPECT_EQ(lower_case(U"ªΣ ⅠΣ 🅰Σ 1Σ ΑΣⒶ Α·Σ"), U"ªς ⅰς 🅰ς 1σ ασⓐ α·ς");
  EXPECT_EQ(lower_case(U"İI"), U"i\u0307i");
  EXPECT_EQ(lower_case(U"ÀŸǅẞΩԱႠᎠ𐐀"), U"àÿǆßωաⴀꭰ𐐨");
  EXPECT_EQ(lower_case(U"ǰ 中 123 ß"), U"ǰ 中 123 ß");
}

TEST(UnicodeTest, WordsEndAtEveryWhiteSpaceOfPython) {
  const std::u32string text = U" a\u00A0b\u2009c\u3000d\u0085e\u200Bf\t";
  const std::vector<std::u32string_view> expected{U"a", U"b", U"c", U"d", U"e\u200Bf"};
  EXPECT_EQ(split(text), expected);
  EXPECT_EQ(strip(text), std::u32string_view(text).substr(1, text.size() - 2));
}

TEST(UnicodeTest, ClassesAreUnicodes) {
  for (const char32_t c : std::u32string(U"!„«—·。")) EXPECT_TRUE(is_punctuation(c) && !is_symbol(c));
  for (const char32_t c : std::u32string(U"$+€→😀°")) EXPECT_TRUE(is_symbol(c) && !is_punctuation(c));
  for (const char32_t c : std::u32string(U"5½٣Ⅷ")) EXPECT_TRUE(is_number(c));
  for (const char32_t c : std::u32string(U"aß中\u0301 ")) EXPECT_FALSE(is_number(c) || is_symbol(c) || is_punctuation(c));
}

TEST(UnicodeTest, BrokenTextIsRepairedNotRefused) {
  EXPECT_EQ(code_points("a\xC3\xA9\xE4\xB8\xAD\xF0\x9F\x98\x80"), U"aé中😀");
  EXPECT_EQ(code_points("a\xFFz"), U"a\uFFFDz");
}

// sacreBLEU's list of Chinese blocks has an entry that amounts to U+2001 .. U+2A6D.
TEST(UnicodeTest, ZhSplitsOffCurlyQuotes) {
  EXPECT_EQ(split(tokenize(BleuTokenizer::kZh, U"a“b 𠀀c")).size(), 4u);
}

}  // namespace
}  // namespace weft::test

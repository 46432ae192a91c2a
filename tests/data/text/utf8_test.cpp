#include "data/text/utf8.h"

#include <gtest/gtest.h>

namespace weft::test {
namespace {

constexpr auto kNone = std::string_view::npos;

TEST(Utf8Test, WellFormedTextOfEveryLengthIsAccepted) {
  for (const std::string_view text : {"", "plain", "\x7f", "\xC2\x80", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF", "\xEE\x80\x80",
                                      "\xEF\xBF\xBF", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "größer ä 漢字 😀"}) {
    EXPECT_EQ(find_invalid_utf8(text), kNone) << text;
    EXPECT_EQ(repair_utf8(text), text);
  }
}

TEST(Utf8Test, EveryKindOfBrokenSequenceIsFoundAtItsPlace) {
  for (const std::string_view bad :
       {std::string_view("\x80"), std::string_view("\xBF"), std::string_view("\xC0\x80"), std::string_view("\xC1\xBF"),
        std::string_view("\xC2"), std::string_view("\xC2x"), std::string_view("\xE0\x9F\xBF"), std::string_view("\xE2\x82"),
        std::string_view("\xED\xA0\x80"), std::string_view("\xF0\x8F\xBF\xBF"), std::string_view("\xF4\x90\x80\x80"),
        std::string_view("\xF5\x80\x80\x80"), std::string_view("\xFF"), std::string_view("\xF0\x9F\x98"), std::string_view("\0", 1)}) {
    const std::string text = "ok " + std::string(bad);
    EXPECT_EQ(find_invalid_utf8(text), 3u);
    EXPECT_EQ(find_invalid_utf8(repair_utf8(text + " after")), kNone);
    EXPECT_EQ(repair_utf8(text + " after").substr(0, 6), "ok \xEF\xBF\xBD");
    EXPECT_TRUE(repair_utf8(text + " after").ends_with(" after"));
  }
}

TEST(Utf8Test, WhatSomeReaderTakesForTheEndOfALineBecomesABlank) {
  for (int c = 0; c < 0x20; ++c) EXPECT_EQ(as_one_line(std::string("ä") + static_cast<char>(c) + "b"), c == '\t' ? "ä\tb" : "ä b") << c;
  EXPECT_EQ(as_one_line("\u0085a\u2028\u2029"), " a  ");
  for (const std::string_view text : {"", "\u00a0\u0084\u0086\u2027\u202a", "größer 漢字 😀", "\x7f"}) EXPECT_EQ(as_one_line(text), text);
}

TEST(Utf8Test, APrefixNeverEndsInsideACharacter) {
  const std::string text = "aü漢😀";  // 1 + 2 + 3 + 4 bytes
  const std::size_t expected[] = {0, 1, 1, 3, 3, 3, 6, 6, 6, 6, 10, 10};
  for (std::size_t bytes = 0; bytes < 12; ++bytes) EXPECT_EQ(utf8_prefix(text, bytes).size(), expected[bytes]) << bytes;
}

}  // namespace
}  // namespace weft::test

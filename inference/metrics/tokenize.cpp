#include "inference/metrics/tokenize.h"

#include <algorithm>
#include <utility>

#include "inference/metrics/unicode.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// sacreBLEU's list of Chinese blocks. Its entry for U+20000 .. U+2A6D6 is written, and compared, as strings of two characters, and so
/// amounts to U+2001 .. U+2A6D: curly quotes and long dashes are words of their own, rare characters are not. Comparable scores need the
/// same.
constexpr std::pair<char32_t, char32_t> kChinese[] = {
    {0x2001, 0x2A6D}, {0x2E80, 0x2EFF}, {0x2F00, 0x2FDF}, {0x2FF0, 0x2FFF}, {0x3000, 0x303F}, {0x3100, 0x312F},
    {0x31A0, 0x31BF}, {0x31C0, 0x31EF}, {0x3200, 0x32FF}, {0x3300, 0x33FF}, {0x3400, 0x4DB5}, {0x4E00, 0x9FBB},
    {0xF900, 0xFA2D}, {0xFA30, 0xFA6A}, {0xFA70, 0xFAD9}, {0xFE10, 0xFE1F}, {0xFE30, 0xFE4F}, {0xFF00, 0xFFEF}};

bool is_chinese(char32_t c) {
  return std::any_of(std::begin(kChinese), std::end(kChinese), [&](const auto& range) { return c >= range.first && c <= range.second; });
}

bool is_digit(char32_t c) {
  return c >= U'0' && c <= U'9';
}

bool is_period_or_comma(char32_t c) {
  return c == U'.' || c == U',';
}

/// ASCII punctuation and the space, without ' , - . and the digits and letters.
bool is_western_punctuation(char32_t c) {
  return (c >= U' ' && c <= U'&') || (c >= U'(' && c <= U'+') || c == U'/' || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') ||
         (c >= U'{' && c <= U'~');
}

enum class Separate { kFirst, kSecond };

/// Two neighbours `first second` become "first second " with a space on both sides of the one to be separated. Pairs are found from left
/// to right and do not overlap, as a regular expression replaces them.
template <class First, class Second>
std::u32string separate_in_pairs(std::u32string_view text, First first, Second second, Separate which) {
  std::u32string spaced;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (i + 1 < text.size() && first(text[i]) && second(text[i + 1])) {
      if (which == Separate::kFirst) {
        spaced += {U' ', text[i], U' ', text[i + 1]};
      } else {
        spaced += {text[i], U' ', text[i + 1], U' '};
      }
      ++i;
    } else {
      spaced += text[i];
    }
  }
  return spaced;
}

/// The text with a space on both sides of each wanted character.
std::u32string surround(std::u32string_view text, bool (*wanted)(char32_t)) {
  std::u32string spaced;
  for (const char32_t c : text) {
    if (wanted(c)) {
      spaced += {U' ', c, U' '};
    } else {
      spaced += c;
    }
  }
  return spaced;
}

/// &quot; &amp; &lt; &gt; as characters, in this order; no other entity.
std::u32string unescape_entities(std::u32string_view text) {
  std::u32string line = replace_all(text, U"&quot;", U"\"");
  line = replace_all(line, U"&amp;", U"&");
  line = replace_all(line, U"&lt;", U"<");
  return replace_all(line, U"&gt;", U">");
}

/// The rules that 13a and zh share. First: ASCII punctuation stands alone, but for ' , - and the period. Then: so do period and comma,
/// except between digits, and a dash after a digit.
std::u32string separate_marks(std::u32string_view text) {
  return surround(text, is_western_punctuation);
}

std::u32string separate_numbers(std::u32string_view text) {
  const auto no_digit = [](char32_t c) { return !is_digit(c); };
  std::u32string line = separate_in_pairs(text, no_digit, is_period_or_comma, Separate::kSecond);
  line = separate_in_pairs(line, is_period_or_comma, no_digit, Separate::kFirst);
  return separate_in_pairs(
      line, is_digit, [](char32_t c) { return c == U'-'; }, Separate::kSecond);
}

std::u32string tokenize_13a(std::u32string_view text) {
  std::u32string line = replace_all(text, U"<skipped>", U"");
  line = replace_all(line, U"-\n", U"");
  line = unescape_entities(replace_all(line, U"\n", U" "));
  return separate_numbers(separate_marks(U" " + line + U" "));
}

std::u32string tokenize_intl(std::u32string_view text) {
  const auto no_number = [](char32_t c) { return !is_number(c); };
  std::u32string line = separate_in_pairs(text, no_number, is_punctuation, Separate::kSecond);
  line = separate_in_pairs(line, is_punctuation, no_number, Separate::kFirst);
  return surround(line, is_symbol);
}

}  // namespace

std::u32string tokenize(BleuTokenizer tokenizer, std::u32string_view text) {
  switch (tokenizer) {
    case BleuTokenizer::k13a:
      return tokenize_13a(text);
    case BleuTokenizer::kIntl:
      return tokenize_intl(text);
    case BleuTokenizer::kZh:
      return separate_numbers(separate_marks(surround(strip(text), is_chinese)));
    case BleuTokenizer::kChar:
      return surround(text, [](char32_t) { return true; });
    case BleuTokenizer::kNone:
      return std::u32string(text);
  }
  fail("unknown tokenizer");
}

std::string_view name(BleuTokenizer tokenizer) {
  return kBleuTokenizers.at(static_cast<std::size_t>(tokenizer)).first;
}

BleuTokenizer tokenizer_of(std::string_view name) {
  const auto found = std::ranges::find(kBleuTokenizers, name, &std::pair<const char*, BleuTokenizer>::first);
  if (found != kBleuTokenizers.end()) return found->second;
  fail_input("unknown tokenizer\n  found     " + std::string(name) + "\n  expected  13a, intl, zh, char or none");
}

}  // namespace weft

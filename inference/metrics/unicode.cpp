#include "inference/metrics/unicode.h"

#include <utf8proc.h>

#include <algorithm>

#include "data/text/utf8.h"

namespace weft {
namespace {

utf8proc_category_t category(char32_t c) {
  return utf8proc_category(static_cast<utf8proc_int32_t>(c));
}

/// Unicode's property Cased: cased letters, and the letters in a superscript, a Roman number, a circle or a square.
bool is_cased(char32_t c) {
  const utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_LU || kind == UTF8PROC_CATEGORY_LL || kind == UTF8PROC_CATEGORY_LT || c == 0xAA || c == 0xBA ||
         (c >= 0x2160 && c <= 0x217F) || (c >= 0x24B6 && c <= 0x24E9) || (c >= 0x1F130 && c <= 0x1F149) || (c >= 0x1F150 && c <= 0x1F169) ||
         (c >= 0x1F170 && c <= 0x1F189);
}

/// Unicode's property Case_Ignorable: marks, formats, modifiers, and the punctuation that may stand inside a word.
bool is_case_ignorable(char32_t c) {
  constexpr std::u32string_view kInsideWords = U"'.:\u00B7\u0387\u055F\u05F4\u2018\u2019\u2024\u2027\uFE13\uFE52\uFE55\uFF07\uFF0E\uFF1A";
  const utf8proc_category_t kind = category(c);
  return kind == UTF8PROC_CATEGORY_MN || kind == UTF8PROC_CATEGORY_ME || kind == UTF8PROC_CATEGORY_CF || kind == UTF8PROC_CATEGORY_LM ||
         kind == UTF8PROC_CATEGORY_SK || kInsideWords.find(c) != std::u32string_view::npos;
}

/// Final_Sigma of Unicode 3.13: a cased letter before, none after; case-ignorable characters such as apostrophes do not count.
bool ends_a_word(std::u32string_view text, std::size_t sigma) {
  const std::u32string_view before = text.substr(0, sigma), after = text.substr(sigma + 1);
  const auto left = std::find_if_not(before.rbegin(), before.rend(), is_case_ignorable);
  const auto right = std::find_if_not(after.begin(), after.end(), is_case_ignorable);
  return left != before.rend() && is_cased(*left) && (right == after.end() || !is_cased(*right));
}

}  // namespace

std::u32string code_points(std::string_view utf8) {
  if (find_invalid_utf8(utf8) != std::string_view::npos) return code_points(repair_utf8(utf8));
  std::u32string text;
  text.reserve(utf8.size());
  for (std::size_t at = 0; at < utf8.size();) {
    const auto first = static_cast<unsigned char>(utf8[at]);
    const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
    char32_t c = length == 1 ? first : first & (0x7Fu >> length);
    for (std::size_t i = 1; i < length; ++i) c = (c << 6) | (static_cast<unsigned char>(utf8[at + i]) & 0x3Fu);
    text.push_back(c);
    at += length;
  }
  return text;
}

bool is_white_space(char32_t c) {
  return (c >= 0x09 && c <= 0x0D) || (c >= 0x1C && c <= 0x20) || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
         c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

bool is_punctuation(char32_t c) {
  const utf8proc_category_t kind = category(c);
  return kind >= UTF8PROC_CATEGORY_PC && kind <= UTF8PROC_CATEGORY_PO;
}

bool is_symbol(char32_t c) {
  const utf8proc_category_t kind = category(c);
  return kind >= UTF8PROC_CATEGORY_SM && kind <= UTF8PROC_CATEGORY_SO;
}

bool is_number(char32_t c) {
  const utf8proc_category_t kind = category(c);
  return kind >= UTF8PROC_CATEGORY_ND && kind <= UTF8PROC_CATEGORY_NO;
}

std::u32string lower_case(std::u32string_view text) {
  std::u32string lower;
  lower.reserve(text.size());
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == 0x0130) {
      lower += U"i\u0307";
    } else if (text[i] == 0x03A3) {
      lower += ends_a_word(text, i) ? U'\u03C2' : U'\u03C3';
    } else {
      lower += static_cast<char32_t>(utf8proc_tolower(static_cast<utf8proc_int32_t>(text[i])));
    }
  }
  return lower;
}

std::vector<std::u32string_view> split(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (std::size_t at = 0; at < text.size();) {
    if (is_white_space(text[at])) {
      ++at;
      continue;
    }
    std::size_t end = at;
    while (end < text.size() && !is_white_space(text[end])) ++end;
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

std::u32string_view strip_end(std::u32string_view text) {
  while (!text.empty() && is_white_space(text.back())) text.remove_suffix(1);
  return text;
}

std::u32string_view strip(std::u32string_view text) {
  text = strip_end(text);
  while (!text.empty() && is_white_space(text.front())) text.remove_prefix(1);
  return text;
}

std::u32string replace_all(std::u32string_view text, std::u32string_view from, std::u32string_view to) {
  std::u32string replaced;
  for (;;) {
    const std::size_t found = text.find(from);
    replaced += text.substr(0, found);
    if (found == std::u32string_view::npos) return replaced;
    replaced += to;
    text.remove_prefix(found + from.size());
  }
}

}  // namespace weft

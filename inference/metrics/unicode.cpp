#include "inference/metrics/unicode.h"

#include <algorithm>
#include <span>

#include "data/text/utf8.h"
#include "inference/metrics/unicode_tables.h"

namespace weft {
namespace {

using unicode_tables::LowerRun;
using unicode_tables::Range;

/// The last entry that begins at c or before; nullptr: none does.
template <class Entry>
const Entry* entry_before(std::span<const Entry> table, char32_t c) {
  const auto after = std::upper_bound(table.begin(), table.end(), c, [](char32_t value, const Entry& e) { return value < e.first; });
  return after == table.begin() ? nullptr : &*(after - 1);
}

bool contains(std::span<const Range> table, char32_t c) {
  const Range* range = entry_before(table, c);
  return range != nullptr && c <= range->last;
}

char32_t lower_case_of(char32_t c) {
  const LowerRun* run = entry_before(unicode_tables::lower_runs(), c);
  if (run == nullptr || c > run->last || (c - run->first) % run->stride != 0) return c;
  return static_cast<char32_t>(static_cast<std::int64_t>(c) + run->delta);
}

/// Final_Sigma of Unicode 3.13: a cased letter before, none after; case-ignorable characters such as apostrophes do not count.
bool ends_a_word(std::u32string_view text, std::size_t sigma) {
  const auto is_ignorable = [](char32_t c) { return contains(unicode_tables::case_ignorable(), c); };
  const std::u32string_view before = text.substr(0, sigma), after = text.substr(sigma + 1);
  const auto left = std::find_if_not(before.rbegin(), before.rend(), is_ignorable);
  const auto right = std::find_if_not(after.begin(), after.end(), is_ignorable);
  return left != before.rend() && contains(unicode_tables::cased(), *left) &&
         (right == after.end() || !contains(unicode_tables::cased(), *right));
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
  return contains(unicode_tables::punctuation(), c);
}

bool is_symbol(char32_t c) {
  return contains(unicode_tables::symbol(), c);
}

bool is_number(char32_t c) {
  return contains(unicode_tables::number(), c);
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
      lower += lower_case_of(text[i]);
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

#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace weft {

/// The characters of UTF-8 text. Broken sequences and NUL count as U+FFFD each.
std::u32string code_points(std::string_view utf8);

/// White space as Python's str.split() sees it: also no-break, thin and ideographic spaces, and the separators U+001C .. U+001F.
bool is_white_space(char32_t c);
bool is_punctuation(char32_t c);  // general category P
bool is_symbol(char32_t c);       // S
bool is_number(char32_t c);       // N

/// Full lower case (Unicode 3.13): a capital sigma at the end of a word becomes U+03C2, U+0130 becomes i and U+0307.
std::u32string lower_case(std::u32string_view text);

/// The words between runs of white space; they point into `text`.
std::vector<std::u32string_view> split(std::u32string_view text);

/// Without white space at the end, or at both ends.
std::u32string_view strip_end(std::u32string_view text);
std::u32string_view strip(std::u32string_view text);

/// The text with every `from` replaced, from left to right.
std::u32string replace_all(std::u32string_view text, std::u32string_view from, std::u32string_view to);

}  // namespace weft

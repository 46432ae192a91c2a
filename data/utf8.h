#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

/// Offset of the first byte that is no part of well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), or that
/// is NUL, which tokenizers drop without a word. std::string_view::npos: all is well.
std::size_t find_invalid_utf8(std::string_view text);

/// The text with each broken sequence and each NUL replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

/// The longest beginning of at most `bytes` bytes that does not end inside a character. The text is well-formed.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

}  // namespace weft

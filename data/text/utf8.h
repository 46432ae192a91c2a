#pragma once
#include <cstddef>
#include <string>
#include <string_view>

namespace weft {

/// What some programs put before UTF-8 text. It is no part of it.
inline constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";

/// Offset of the first byte that is no part of well-formed UTF-8 (RFC 3629: no overlong forms, no surrogates, at most U+10FFFF), or that
/// is NUL, which tokenizers drop without a word. std::string_view::npos: all is well.
std::size_t find_invalid_utf8(std::string_view text);

/// "byte 3 (0xc3) is not UTF-8", or "... is NUL", of the offset that find_invalid_utf8 gave.
std::string describe_invalid_utf8(std::string_view text, std::size_t offset);

/// The text with each broken sequence and each NUL replaced by U+FFFD.
std::string repair_utf8(std::string_view text);

/// The text with a blank for each character that some reader takes for the end of a line, or that is no text: every C0 character but the
/// tab (NUL, LF and CR among them), U+0085, U+2028 and U+2029. So one line of output is one line for everybody.
std::string as_one_line(std::string_view text);

/// The longest beginning of at most `bytes` bytes that does not end inside a character. The text is well-formed.
std::string_view utf8_prefix(std::string_view text, std::size_t bytes);

}  // namespace weft

#include "data/text/utf8.h"

#include <algorithm>
#include <array>
#include <cstdint>

#include <fmt/format.h>

namespace weft {
namespace {

/// Bytes of the well-formed character at `at`; 0 when there is none.
std::size_t character_length(std::string_view text, std::size_t at) {
  const auto byte = [&](std::size_t i) -> unsigned { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0u; };
  const auto follows = [&](std::size_t i) { return (byte(i) & 0xC0u) == 0x80u; };
  const unsigned first = byte(at), second = byte(at + 1);
  if (first == 0) return 0;
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;  // a continuation byte, or an overlong form
  if (!follows(at + 1)) return 0;
  if (first < 0xE0) return 2;
  if (!follows(at + 2)) return 0;
  if (first < 0xF0) {
    const bool overlong = first == 0xE0 && second < 0xA0, surrogate = first == 0xED && second > 0x9F;
    return overlong || surrogate ? 0 : 3;
  }
  if (!follows(at + 3)) return 0;
  const bool overlong = first == 0xF0 && second<0x90, too_large = first> 0xF4 || (first == 0xF4 && second > 0x8F);
  return overlong || too_large ? 0 : 4;
}

}  // namespace

std::size_t find_invalid_utf8(std::string_view text) {
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length == 0) return at;
    at += length;
  }
  return std::string_view::npos;
}

std::string describe_invalid_utf8(std::string_view text, std::size_t offset) {
  return fmt::format("byte {} (0x{:02x}) is {}", offset + 1, static_cast<unsigned char>(text[offset]),
                     text[offset] == '\0' ? "NUL" : "not UTF-8");
}

std::string repair_utf8(std::string_view text) {
  constexpr std::string_view kReplacement = "\xEF\xBF\xBD";
  std::string repaired;
  repaired.reserve(text.size() + kReplacement.size());
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t length = character_length(text, at);
    if (length > 0) {
      repaired += text.substr(at, length);
      at += length;
      continue;
    }
    repaired += kReplacement;
    ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xC0u) == 0x80u) ++at;  // the rest of the broken sequence
  }
  return repaired;
}

std::string as_one_line(std::string_view text) {
  constexpr std::array<std::string_view, 3> kLineEnds{"\u0085", "\u2028", "\u2029"};
  std::string line;
  line.reserve(text.size());
  while (!text.empty()) {
    const auto end = std::ranges::find_if(kLineEnds, [&](std::string_view one) { return text.starts_with(one); });
    const bool control = static_cast<unsigned char>(text.front()) < 0x20 && text.front() != '\t';
    line += control || end != kLineEnds.end() ? ' ' : text.front();
    text.remove_prefix(end != kLineEnds.end() ? end->size() : 1);
  }
  return line;
}

std::string_view utf8_prefix(std::string_view text, std::size_t bytes) {
  if (text.size() <= bytes) return text;
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0u) == 0x80u) --bytes;
  return text.substr(0, bytes);
}

}  // namespace weft

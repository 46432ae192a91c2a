#include "runtime/files/checksum.h"

#include <charconv>

#include <fmt/format.h>
#include <xxhash.h>

#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::size_t kHexDigits = 32;

bool is_lower_hex(std::string_view text) {
  return text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

std::uint64_t parse_hex(std::string_view digits) {
  std::uint64_t value = 0;
  std::from_chars(digits.data(), digits.data() + digits.size(), value, 16);
  return value;
}

}  // namespace

std::string Checksum::hex() const {
  return fmt::format("{:016x}{:016x}", high, low);
}

Checksum checksum(std::span<const std::byte> bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  return {hash.high64, hash.low64};
}

Checksum checksum(std::string_view text) {
  return checksum(std::as_bytes(std::span(text)));
}

Checksum checksum(std::span<const Checksum> checksums) {
  std::string bytes;
  bytes.reserve(16 * checksums.size());
  for (const Checksum& one : checksums) {
    for (const std::uint64_t half : {one.high, one.low}) {
      for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(half >> shift & 0xff);
    }
  }
  return checksum(std::string_view(bytes));
}

Checksum parse_checksum(std::string_view hex) {
  if (hex.size() != kHexDigits || !is_lower_hex(hex)) {
    fail_input(fmt::format("checksum \"{}\": expected {} hex digits", hex.substr(0, kHexDigits + 8), kHexDigits));
  }
  return {parse_hex(hex.substr(0, kHexDigits / 2)), parse_hex(hex.substr(kHexDigits / 2))};
}

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace weft {

/// XXH3-128 (xxHash): finds accidents, not attackers. 10.8 GB/s on one core.
struct Checksum {
  std::uint64_t high = 0;
  std::uint64_t low = 0;

  std::string hex() const;  // 32 lower-case digits, high half first
  friend bool operator==(const Checksum&, const Checksum&) = default;
};

Checksum checksum(std::span<const std::byte>);
Checksum checksum(std::string_view);
/// Of many checksums: of their 16 bytes each (big-endian), one behind the other.
Checksum checksum(std::span<const Checksum>);
/// Fails (exit 64) on anything but 32 lower-case hex digits.
Checksum parse_checksum(std::string_view hex);

}  // namespace weft

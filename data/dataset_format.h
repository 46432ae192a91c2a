#pragma once
#include <array>
#include <bit>
#include <cstdint>
#include <string>
#include <type_traits>

#include "data/vocabulary/vocabulary.h"

namespace weft::dataset_format {

static_assert(std::endian::native == std::endian::little, "the files are little-endian");

inline constexpr std::array<char, 8> kMagic{'W', 'E', 'F', 'T', 'D', 'A', 'T', 'A'};
inline constexpr std::uint32_t kVersion = 1;

/// The first 128 bytes of source.bin and target.bin.
struct Header {
  std::array<char, 8> magic = kMagic;
  std::uint32_t version = kVersion;
  std::int32_t max_length = 0;
  std::int64_t sentences = 0;
  std::int64_t tokens = 0;
  std::uint64_t content_checksum = 0;  // XXH3 of all bytes after the header, tokens first, then offsets
  std::uint64_t vocabulary_fingerprint = 0;
  std::int64_t vocabulary_size = 0;
  std::int32_t unk = 0, bos = 0, eos = 0, unused = 0;
  std::array<std::int64_t, 6> reserved{};
  std::uint64_t header_checksum = 0;  // XXH3 of the bytes before it
};
static_assert(sizeof(Header) == 128 && std::is_trivially_copyable_v<Header>);

/// Where the offsets begin: after the tokens, at a multiple of 8.
inline std::int64_t offsets_begin(std::int64_t tokens) {
  return static_cast<std::int64_t>(sizeof(Header)) + (tokens * 4 + 7) / 8 * 8;
}
std::uint64_t header_checksum(const Header&);
std::string file_name(const std::string& folder, bool source);

}  // namespace weft::dataset_format

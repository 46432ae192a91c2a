#include "runtime/files/checksum.h"

#include <array>

#include <gtest/gtest.h>

#include "runtime/error.h"

namespace weft {
namespace {

TEST(ChecksumTest, IsXxh3With128Bits) {
  // The empty input's value in the specification's own test vectors.
  EXPECT_EQ(checksum(std::string_view("")).hex(), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(parse_checksum(checksum(std::string_view("weft")).hex()), checksum(std::string_view("weft")));
}

TEST(ChecksumTest, EveryBitCounts) {
  std::string text(1000, 'x');
  const Checksum before = checksum(text);
  for (std::size_t i = 0; i < text.size(); ++i) {
    for (int bit = 0; bit < 8; ++bit) {
      text[i] = static_cast<char>(text[i] ^ (1 << bit));
      ASSERT_NE(checksum(text), before);
      text[i] = static_cast<char>(text[i] ^ (1 << bit));
    }
  }
}

TEST(ChecksumTest, OfChecksumsDependsOnTheirOrder) {
  const Checksum a = checksum(std::string_view("a")), b = checksum(std::string_view("b"));
  EXPECT_NE(checksum(std::array{a, b}), checksum(std::array{b, a}));
  EXPECT_NE(checksum(std::array{a}), a);
}

TEST(ChecksumTest, RefusesOtherText) {
  for (const std::string text : {"", "99aa", "99AA06D3014798D86001C324468D497F", "99aa06d3014798d86001c324468d497g",
                                 "99aa06d3014798d86001c324468d497f0", "0x9aa06d3014798d86001c324468d497f"}) {
    EXPECT_THROW(parse_checksum(text), Error) << text;
  }
}

}  // namespace
}  // namespace weft

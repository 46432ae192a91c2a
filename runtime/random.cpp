#include "runtime/random.h"

#include <cmath>
#include <numbers>

#include <xxhash.h>

namespace weft {

RandomKey random_key(std::uint64_t seed, std::string_view site) {
  const std::uint64_t hash = XXH3_64bits_withSeed(site.data(), site.size(), seed);
  return {static_cast<std::uint32_t>(hash), static_cast<std::uint32_t>(hash >> 32)};
}

std::uint64_t random_bits(RandomKey key, std::uint64_t index) {
  const RandomCounter words = philox(key, {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 0, 0});
  return (static_cast<std::uint64_t>(words[1]) << 32) | words[0];
}

double random_uniform(RandomKey key, std::uint64_t index) {
  return static_cast<double>(random_bits(key, index) >> 11) * 0x1p-53;
}

double random_normal(RandomKey key, std::uint64_t index) {
  const RandomCounter words = philox(key, {static_cast<std::uint32_t>(index), static_cast<std::uint32_t>(index >> 32), 1, 0});
  const double u = (static_cast<double>(words[0]) + 1.0) * 0x1p-32;  // (0, 1]
  const double v = static_cast<double>(words[1]) * 0x1p-32;
  return std::sqrt(-2.0 * std::log(u)) * std::cos(2.0 * std::numbers::pi * v);
}

std::uint64_t random_below(RandomKey key, std::uint64_t index, std::uint64_t bound) {
  // The high half of a 64 x 64 product: a bias below bound / 2^64.
  return static_cast<std::uint64_t>((static_cast<unsigned __int128>(random_bits(key, index)) * bound) >> 64);
}

}  // namespace weft

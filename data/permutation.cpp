#include "data/permutation.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

// Four rounds make a pseudo-random permutation of a random function (Luby and Rackoff, 1988); small domains want some more.
constexpr std::uint32_t kRounds = 7;

}  // namespace

Permutation::Permutation(std::int64_t size, RandomKey key) : size_(static_cast<std::uint64_t>(size)), key_(key) {
  while ((std::uint64_t{1} << (2 * half_bits_)) < size_) ++half_bits_;
}

std::int64_t Permutation::operator[](std::int64_t i) const {
  if (i < 0 || static_cast<std::uint64_t>(i) >= size_) fail(fmt::format("permutation: place {} of {}", i, size_));
  auto value = static_cast<std::uint64_t>(i);
  do {
    value = scramble(value);
  } while (value >= size_);
  return static_cast<std::int64_t>(value);
}

std::uint64_t Permutation::scramble(std::uint64_t value) const {
  const std::uint64_t mask = (std::uint64_t{1} << half_bits_) - 1;
  std::uint64_t left = value >> half_bits_, right = value & mask;
  for (std::uint32_t round = 0; round < kRounds; ++round) {
    const RandomCounter words = philox(key_, {static_cast<std::uint32_t>(right), static_cast<std::uint32_t>(right >> 32), round, 0});
    const std::uint64_t word = (static_cast<std::uint64_t>(words[1]) << 32) | words[0];
    const std::uint64_t next = left ^ (word & mask);
    left = right;
    right = next;
  }
  return (left << half_bits_) | right;
}

}  // namespace weft

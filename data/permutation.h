#pragma once
#include <cstdint>

#include "runtime/random.h"

namespace weft {

/// A random permutation of 0 .. size - 1 without memory: a Feistel network on the smallest even number of bits that holds `size`, walked
/// until it is back inside (Black and Rogaway, CT-RSA 2002). So a shuffle of any corpus costs nothing to start and nothing to resume.
class Permutation {
 public:
  Permutation(std::int64_t size, RandomKey key);
  /// What stands at place `i`.
  std::int64_t operator[](std::int64_t i) const;

 private:
  std::uint64_t scramble(std::uint64_t value) const;
  std::uint64_t size_;
  RandomKey key_;
  int half_bits_ = 1;
};

}  // namespace weft

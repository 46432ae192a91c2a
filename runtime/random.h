#pragma once
#include <array>
#include <cstdint>
#include <string_view>

namespace weft {

/// 64 bits that name a random stream: hash (XXH3) of the run's seed and the full name of the site, for example
/// "decoder.layers.3.ffn.dropout" or the name of a weight.
struct RandomKey {
  std::uint32_t low = 0;
  std::uint32_t high = 0;
};
RandomKey random_key(std::uint64_t seed, std::string_view site);

/// Philox4x32-10 (Salmon et al., SC 2011): four random words, a pure function of key and counter. There is no state to save, and nothing
/// depends on how work is cut over threads and ranks.
using RandomCounter = std::array<std::uint32_t, 4>;
inline RandomCounter philox(RandomKey key, RandomCounter counter) {
  constexpr std::uint32_t kM0 = 0xD2511F53u, kM1 = 0xCD9E8D57u, kW0 = 0x9E3779B9u, kW1 = 0xBB67AE85u;
  std::uint32_t k0 = key.low, k1 = key.high;
  for (int round = 0; round < 10; ++round) {
    const std::uint64_t p0 = static_cast<std::uint64_t>(kM0) * counter[0];
    const std::uint64_t p1 = static_cast<std::uint64_t>(kM1) * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ k0, static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ k1, static_cast<std::uint32_t>(p0)};
    k0 += kW0;
    k1 += kW1;
  }
  return counter;
}

/// Dropout of one site. Element (row, column) is kept when word column % 4 of philox(key, {step, sample[row], position[row], column / 4})
/// is at least `threshold`; what is kept is multiplied by 1 / (1 - p). The comparison is of integers, so every device draws the same mask.
struct Dropout {
  RandomKey key;
  double p = 0;

  std::uint32_t threshold() const { return static_cast<std::uint32_t>(p * 4294967296.0); }
  double scale() const { return 1.0 / (1.0 - p); }
};

/// A stream of numbers for the host (shuffles, initial weights): element `index` of the stream `key`, in any order.
std::uint64_t random_bits(RandomKey key, std::uint64_t index);
double random_uniform(RandomKey key, std::uint64_t index);                            // [0, 1)
double random_normal(RandomKey key, std::uint64_t index);                             // mean 0, deviation 1 (Box-Muller)
std::uint64_t random_below(RandomKey key, std::uint64_t index, std::uint64_t bound);  // [0, bound)

}  // namespace weft

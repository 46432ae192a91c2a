#pragma once
#include <cstdint>
#include <string>

#include "runtime/random.h"

namespace weft::test {

/// Lines of made-up words, 1 to `max_words` a line; the same for the same seed.
inline std::string small_text(std::int64_t lines, std::uint64_t seed, std::uint64_t max_words = 12) {
  static constexpr const char* kSyllables[] = {"ba", "ko", "ri", "tul", "mes", "dan", "fo", "lin", "ge", "süd", "vor", "hat"};
  const RandomKey key = random_key(seed, "text");
  std::string text;
  std::uint64_t drawn = 0;
  for (std::int64_t line = 0; line < lines; ++line) {
    const std::uint64_t words = 1 + random_below(key, drawn++, max_words);
    for (std::uint64_t word = 0; word < words; ++word) {
      if (word > 0) text += ' ';
      for (std::uint64_t s = 1 + random_below(key, drawn++, 3); s > 0; --s) text += kSyllables[random_below(key, drawn++, 12)];
    }
    text += '\n';
  }
  return text;
}

}  // namespace weft::test

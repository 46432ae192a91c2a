#pragma once
#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

namespace weft {

/// How often each n-gram of one order occurs. Symbols are characters, or words numbered by WordIds; keys point into the counted sequence.
using NGramCounts = std::unordered_map<std::u32string_view, std::int64_t>;

NGramCounts count_ngrams(std::u32string_view symbols, std::size_t order);

/// The n-grams that both sides have, each as often as the side that has fewer.
std::int64_t count_matches(const NGramCounts& hypothesis, const NGramCounts& reference);

/// How many n-grams of an order a sequence has.
std::int64_t ngram_total(std::u32string_view symbols, std::size_t order);

/// Numbers words, so that a sentence is a sequence of symbols; the same word gets the same number.
class WordIds {
 public:
  std::u32string number(std::span<const std::u32string_view> words);

 private:
  std::map<std::u32string, char32_t, std::less<>> ids_;
};

}  // namespace weft

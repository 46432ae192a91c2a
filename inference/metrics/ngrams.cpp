#include "inference/metrics/ngrams.h"

#include <algorithm>

namespace weft {

NGramCounts count_ngrams(std::u32string_view symbols, std::size_t order) {
  NGramCounts counts;
  for (std::size_t i = 0; i + order <= symbols.size(); ++i) ++counts[symbols.substr(i, order)];
  return counts;
}

std::int64_t count_matches(const NGramCounts& hypothesis, const NGramCounts& reference) {
  std::int64_t matches = 0;
  for (const auto& [ngram, count] : hypothesis) {
    const auto found = reference.find(ngram);
    if (found != reference.end()) matches += std::min(count, found->second);
  }
  return matches;
}

std::int64_t ngram_total(std::u32string_view symbols, std::size_t order) {
  return symbols.size() < order ? 0 : static_cast<std::int64_t>(symbols.size() - order + 1);
}

std::u32string WordIds::number(std::span<const std::u32string_view> words) {
  std::u32string symbols;
  for (const std::u32string_view word : words) {
    auto found = ids_.find(word);
    if (found == ids_.end()) found = ids_.emplace(std::u32string(word), static_cast<char32_t>(ids_.size())).first;
    symbols.push_back(found->second);
  }
  return symbols;
}

}  // namespace weft

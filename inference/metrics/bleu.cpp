#include "inference/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include <fmt/format.h>

#include "inference/metrics/ngrams.h"
#include "inference/metrics/unicode.h"

namespace weft {
namespace {

/// Statistics: words of the hypothesis, words of the reference, matches of orders 1 .. 4, n-grams of orders 1 .. 4.
constexpr std::size_t kMatches = 2, kTotals = kMatches + kBleuOrder, kStatistics = kTotals + kBleuOrder;

/// Stands for log(0): one order of precision 0 makes the score 0 without a special case.
constexpr double kLogOfZero = -9999999999.0;

std::u32string word_symbols(std::string_view utf8, BleuTokenizer tokenizer, WordIds& ids) {
  const std::u32string text = code_points(utf8), tokens = tokenize(tokenizer, strip_end(text));
  return ids.number(split(tokens));
}

/// The larger count of each n-gram, over all references.
NGramCounts most_counts(std::span<const std::u32string> references, std::size_t order) {
  NGramCounts most;
  for (const std::u32string& reference : references) {
    for (const auto& [ngram, count] : count_ngrams(reference, order)) most[ngram] = std::max(most[ngram], count);
  }
  return most;
}

std::size_t nearest_length(std::span<const std::u32string> references, std::size_t length) {
  const auto distance = [&](const std::u32string& r) { return std::max(r.size(), length) - std::min(r.size(), length); };
  const auto nearest = std::min_element(references.begin(), references.end(), [&](const std::u32string& a, const std::u32string& b) {
    return std::pair(distance(a), a.size()) < std::pair(distance(b), b.size());
  });
  return nearest->size();
}

Statistics bleu_statistics(std::string_view hypothesis, const References& references, BleuTokenizer tokenizer) {
  WordIds ids;
  const std::u32string words = word_symbols(hypothesis, tokenizer, ids);
  std::vector<std::u32string> reference_words;
  for (const std::string& reference : references) reference_words.push_back(word_symbols(reference, tokenizer, ids));
  Statistics statistics(kStatistics);
  statistics[0] = static_cast<double>(words.size());
  statistics[1] = static_cast<double>(nearest_length(reference_words, words.size()));
  for (std::size_t n = 1; n <= kBleuOrder; ++n) {
    const std::int64_t matches = count_matches(count_ngrams(words, n), most_counts(reference_words, n));
    statistics[kMatches + n - 1] = static_cast<double>(matches);
    statistics[kTotals + n - 1] = static_cast<double>(ngram_total(words, n));
  }
  return statistics;
}

}  // namespace

BleuScore bleu_score(const Statistics& sum) {
  BleuScore result{.hypothesis_length = sum[0], .reference_length = sum[1]};
  std::copy_n(sum.begin() + kMatches, kBleuOrder, result.counts.begin());
  std::copy_n(sum.begin() + kTotals, kBleuOrder, result.totals.begin());
  const double c = result.hypothesis_length, r = result.reference_length;
  if (c < r) result.brevity_penalty = c > 0 ? std::exp(1 - r / c) : 0.0;
  if (std::all_of(result.counts.begin(), result.counts.end(), [](double count) { return count == 0; })) return result;

  double halved = 1;
  for (std::size_t n = 0; n < kBleuOrder; ++n) {
    const double count = result.counts[n], total = result.totals[n];
    if (total == 0) break;
    if (count == 0) halved *= 2;
    result.precisions[n] = count > 0 ? 100 * count / total : 100 / (halved * total);
  }
  double logs = 0;
  for (std::size_t n = 0; n < kBleuOrder; ++n) logs += result.precisions[n] == 0 ? kLogOfZero : std::log(result.precisions[n]);
  result.score = result.brevity_penalty * std::exp(logs / static_cast<double>(kBleuOrder));
  return result;
}

Metric bleu_metric(BleuTokenizer tokenizer) {
  return {.name = "bleu",
          .statistics = [tokenizer](std::string_view hypothesis,
                                    const References& references) { return bleu_statistics(hypothesis, references, tokenizer); },
          .score = [](const Statistics& sum) { return bleu_score(sum).score; },
          .signature =
              [tokenizer](std::string_view references) {
                return fmt::format("nrefs:{}|case:mixed|eff:no|tok:{}|smooth:exp|{}", references, name(tokenizer), kSignatureVersion);
              }};
}

std::string words_not_found(BleuTokenizer tokenizer, std::span<const References> references) {
  constexpr std::int64_t kFewestCharacters = 200, kCharactersToABlank = 20;
  if (tokenizer == BleuTokenizer::kZh || tokenizer == BleuTokenizer::kChar) return "";
  std::int64_t characters = 0, blanks = 0;
  for (const References& of_sentence : references) {
    for (const std::string& text : of_sentence) {
      for (const char c : text) {
        characters += (static_cast<unsigned char>(c) & 0xc0) != 0x80;  // UTF-8: all but the bytes that continue one
        blanks += c == ' ';
      }
    }
  }
  if (characters < kFewestCharacters || blanks * kCharactersToABlank >= characters) return "";
  return fmt::format(
      "the references have {} blanks in {} characters, and BLEU's tokenizer {} splits words at blanks: its score says little", blanks,
      characters, name(tokenizer));
}

}  // namespace weft

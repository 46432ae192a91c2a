#include "inference/metrics/chrf.h"

#include <fmt/format.h>

#include "inference/metrics/ngrams.h"
#include "inference/metrics/unicode.h"

namespace weft {
namespace {

constexpr std::size_t kCharOrder = 6;
constexpr double kBeta = 2;

bool is_ascii_punctuation(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

/// Splits one mark off each word, the last in preference to the first, so "(hi)" is "(hi" and ")".
std::vector<std::u32string_view> words_and_marks(std::u32string_view text) {
  std::vector<std::u32string_view> words;
  for (const std::u32string_view word : split(text)) {
    const std::size_t cut = word.size() == 1                     ? 0
                            : is_ascii_punctuation(word.back())  ? word.size() - 1
                            : is_ascii_punctuation(word.front()) ? 1
                                                                 : 0;
    if (cut > 0) words.push_back(word.substr(0, cut));
    words.push_back(word.substr(cut));
  }
  return words;
}

struct Symbols {
  std::u32string chars, words;
};

Symbols symbols_of(std::string_view utf8, std::size_t word_order, WordIds& ids) {
  const std::u32string text = code_points(utf8);
  Symbols symbols;
  for (const std::u32string_view word : split(text)) symbols.chars += word;
  if (word_order > 0) symbols.words = ids.number(words_and_marks(text));
  return symbols;
}

/// Three figures an order: n-grams of the hypothesis (0 where the reference has none), of the reference, and matches.
void append_order(Statistics& statistics, std::u32string_view hypothesis, std::u32string_view reference, std::size_t order) {
  const std::int64_t total = ngram_total(reference, order);
  statistics.push_back(total > 0 ? static_cast<double>(ngram_total(hypothesis, order)) : 0.0);
  statistics.push_back(static_cast<double>(total));
  statistics.push_back(static_cast<double>(count_matches(count_ngrams(hypothesis, order), count_ngrams(reference, order))));
}

double chrf_score(const Statistics& sum) {
  double precision = 0, recall = 0;
  int orders = 0;
  for (std::size_t i = 0; i < sum.size(); i += 3) {
    if (sum[i] == 0 || sum[i + 1] == 0) continue;
    precision += sum[i + 2] / sum[i];
    recall += sum[i + 2] / sum[i + 1];
    ++orders;
  }
  if (orders == 0 || precision + recall == 0) return 0;
  precision /= orders;
  recall /= orders;
  const double factor = kBeta * kBeta;
  return 100 * (1 + factor) * precision * recall / (factor * precision + recall);
}

Statistics chrf_statistics(std::string_view hypothesis, const References& references, std::size_t word_order) {
  WordIds ids;
  const Symbols ours = symbols_of(hypothesis, word_order, ids);
  Statistics best;
  double best_score = -1;
  for (const std::string& reference : references) {
    const Symbols theirs = symbols_of(reference, word_order, ids);
    Statistics statistics;
    for (std::size_t n = 1; n <= kCharOrder; ++n) append_order(statistics, ours.chars, theirs.chars, n);
    for (std::size_t n = 1; n <= word_order; ++n) append_order(statistics, ours.words, theirs.words, n);
    const double score = chrf_score(statistics);
    if (score <= best_score) continue;
    best_score = score;
    best = std::move(statistics);
  }
  return best;
}

}  // namespace

Metric chrf_metric(std::size_t word_order) {
  return {.name = "chrf" + std::string(word_order, '+'),
          .statistics = [word_order](std::string_view hypothesis,
                                     const References& references) { return chrf_statistics(hypothesis, references, word_order); },
          .score = chrf_score,
          .signature =
              [word_order](std::string_view references) {
                return fmt::format("nrefs:{}|case:mixed|eff:yes|nc:{}|nw:{}|space:no|{}", references, kCharOrder, word_order,
                                   kSignatureVersion);
              }};
}

}  // namespace weft

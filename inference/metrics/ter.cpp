#include "inference/metrics/ter.h"

#include <algorithm>

#include <fmt/format.h>

#include "inference/metrics/ngrams.h"
#include "inference/metrics/shifts.h"
#include "inference/metrics/tokenize.h"
#include "inference/metrics/unicode.h"

namespace weft {
namespace {

/// Ideographs, strokes, radicals, enclosed and compatible forms. Tercom splits runs of kana as well, by a rule that never holds.
bool is_ideograph(char32_t c) {
  return (c >= 0x2E80 && c <= 0x2EFF) || (c >= 0x31C0 && c <= 0x31EF) || (c >= 0x3200 && c <= 0x4DBF) || (c >= 0x4E00 && c <= 0x9FFF) ||
         (c >= 0xF900 && c <= 0xFAFF) || (c >= 0xFE30 && c <= 0xFE4F);
}

bool is_asian_mark(char32_t c) {
  return (c >= 0x3008 && c <= 0x3011) || (c >= 0x3014 && c <= 0x301F) || (c >= 0xFF61 && c <= 0xFF65) ||
         std::u32string_view(U"\u3001\u3002\u30FB\uFF0E\uFF0C\uFF1F\uFF1A\uFF1B\uFF01\uFF02\uFF08\uFF09").find(c) !=
             std::u32string_view::npos;
}

bool is_mark(char32_t c) {
  return std::u32string_view(U".,?:;!\"()").find(c) != std::u32string_view::npos;
}

std::u32string normalized(std::u32string_view text, bool asian) {
  std::u32string line = replace_all(text, U"\n-", U"");
  line = U" " + unescape_entities(replace_all(line, U"\n", U" ")) + U" ";
  // A possessive before a period, not yet split off, stays whole.
  line = separate_numbers(replace_all(separate_marks(line), U"'s ", U" 's "));
  if (!asian) return line;
  return surround(line, [](char32_t c) { return is_ideograph(c) || is_asian_mark(c); });
}

std::u32string word_symbols(std::string_view utf8, const TerOptions& options, WordIds& ids) {
  std::u32string text = code_points(utf8);
  text.resize(strip_end(text).size());
  if (!options.case_sensitive) text = lower_case(text);
  if (options.normalized) text = normalized(text, options.asian);
  if (options.no_punctuation) std::erase_if(text, [&](char32_t c) { return is_mark(c) || (options.asian && is_asian_mark(c)); });
  return ids.number(split(text));
}

Statistics ter_statistics(std::string_view hypothesis, const References& references, const TerOptions& options) {
  WordIds ids;
  const std::u32string words = word_symbols(hypothesis, options, ids);
  std::int64_t fewest = -1, length = 0;
  for (const std::string& reference : references) {
    const std::u32string reference_words = word_symbols(reference, options, ids);
    const std::int64_t edits = edits_with_shifts(words, reference_words);
    fewest = fewest < 0 ? edits : std::min(fewest, edits);
    length += static_cast<std::int64_t>(reference_words.size());
  }
  return {static_cast<double>(fewest), static_cast<double>(length) / static_cast<double>(references.size())};
}

double ter_score(const Statistics& sum) {
  const double edits = sum[0], length = sum[1];
  if (length > 0) return 100 * (edits / length);
  return edits > 0 ? 100 : 0;
}

}  // namespace

Metric ter_metric(const TerOptions& options) {
  return {.name = "ter",
          .statistics = [options](std::string_view hypothesis,
                                  const References& references) { return ter_statistics(hypothesis, references, options); },
          .score = ter_score,
          .signature =
              [options](std::string_view references) {
                return fmt::format("nrefs:{}|case:{}|tok:tercom|norm:{}|punct:{}|asian:{}|{}", references,
                                   options.case_sensitive ? "mixed" : "lc", options.normalized ? "yes" : "no",
                                   options.no_punctuation ? "no" : "yes", options.asian ? "yes" : "no", kSignatureVersion);
              }};
}

MetricScore corpus_ter(std::span<const std::string> hypotheses, std::span<const References> references, const TerOptions& options) {
  return corpus_score(ter_metric(options), hypotheses, references);
}

}  // namespace weft

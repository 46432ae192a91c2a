#include "inference/metrics/ter.h"

#include <algorithm>

#include <fmt/format.h>

#include "inference/metrics/ngrams.h"
#include "inference/metrics/shifts.h"
#include "inference/metrics/unicode.h"

namespace weft {
namespace {

std::u32string word_symbols(std::string_view utf8, WordIds& ids) {
  const std::u32string text = code_points(utf8), lower = lower_case(strip_end(text));
  return ids.number(split(lower));
}

Statistics ter_statistics(std::string_view hypothesis, const References& references) {
  WordIds ids;
  const std::u32string words = word_symbols(hypothesis, ids);
  std::int64_t fewest = -1, length = 0;
  for (const std::string& reference : references) {
    const std::u32string reference_words = word_symbols(reference, ids);
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

Metric ter_metric() {
  return {.name = "ter", .statistics = ter_statistics, .score = ter_score, .signature = [](std::string_view references) {
            return fmt::format("nrefs:{}|case:lc|tok:tercom|norm:no|punct:yes|asian:no|{}", references, kSignatureVersion);
          }};
}

}  // namespace weft

#include "inference/metrics/rouge.h"

#include <algorithm>

#include <fmt/format.h>

#include "inference/metrics/ngrams.h"
#include "inference/metrics/unicode.h"
#include "runtime/error.h"

namespace weft {
namespace {

bool is_rouge_letter(char32_t c) {
  return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9');
}

std::u32string word_symbols(std::string_view utf8, RougeTokenizer tokenizer, WordIds& ids) {
  std::u32string text = code_points(utf8);
  if (tokenizer != RougeTokenizer::kWhiteSpace) text = lower_case(text);
  if (tokenizer == RougeTokenizer::kChar) {
    std::erase_if(text, is_white_space);
    return text;
  }
  if (tokenizer == RougeTokenizer::kRouge)
    std::replace_if(
        text.begin(), text.end(), [](char32_t c) { return !is_rouge_letter(c); }, U' ');
  return ids.number(split(text));
}

RougeFigures figures(std::int64_t matches, std::int64_t hypothesis, std::int64_t reference) {
  if (matches == 0) return {};
  const double precision = static_cast<double>(matches) / static_cast<double>(hypothesis);
  const double recall = static_cast<double>(matches) / static_cast<double>(reference);
  return {.precision = precision, .recall = recall, .f1 = 2 * precision * recall / (precision + recall)};
}

RougeFigures overlap(std::u32string_view hypothesis, std::u32string_view reference, std::size_t order) {
  return figures(count_matches(count_ngrams(hypothesis, order), count_ngrams(reference, order)), ngram_total(hypothesis, order),
                 ngram_total(reference, order));
}

std::int64_t longest_common_subsequence(std::u32string_view a, std::u32string_view b) {
  std::vector<std::int64_t> length(b.size() + 1);  // of a's beginning so far and b's first j symbols
  for (const char32_t symbol : a) {
    std::int64_t diagonal = 0;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      const std::int64_t above = length[j];
      length[j] = symbol == b[j - 1] ? diagonal + 1 : std::max(above, length[j - 1]);
      diagonal = above;
    }
  }
  return length.at(b.size());
}

void keep_better(RougeFigures& best, const RougeFigures& found) {
  if (found.f1 > best.f1) best = found;
}

void add_share(RougeFigures& mean, const RougeFigures& found, double share) {
  mean.precision += share * found.precision;
  mean.recall += share * found.recall;
  mean.f1 += share * found.f1;
}

}  // namespace

RougeScore rouge_score(std::string_view hypothesis, const References& references, RougeTokenizer tokenizer) {
  WordIds ids;
  const std::u32string ours = word_symbols(hypothesis, tokenizer, ids);
  RougeScore best;
  for (const std::string& reference : references) {
    const std::u32string theirs = word_symbols(reference, tokenizer, ids);
    keep_better(best.rouge1, overlap(ours, theirs, 1));
    keep_better(best.rouge2, overlap(ours, theirs, 2));
    keep_better(best.rouge_l, figures(longest_common_subsequence(ours, theirs), ngram_total(ours, 1), ngram_total(theirs, 1)));
  }
  return best;
}

RougeScore mean_rouge(std::span<const std::string> hypotheses, std::span<const References> references, RougeTokenizer tokenizer) {
  if (hypotheses.size() != references.size() || hypotheses.empty())
    fail_input(
        fmt::format("rouge: {} texts, {} with references\n  expected  as many, and at least one", hypotheses.size(), references.size()));
  const double share = 1.0 / static_cast<double>(hypotheses.size());
  RougeScore mean;
  for (std::size_t i = 0; i < hypotheses.size(); ++i) {
    const RougeScore score = rouge_score(hypotheses[i], references[i], tokenizer);
    add_share(mean.rouge1, score.rouge1, share);
    add_share(mean.rouge2, score.rouge2, share);
    add_share(mean.rouge_l, score.rouge_l, share);
  }
  return mean;
}

}  // namespace weft

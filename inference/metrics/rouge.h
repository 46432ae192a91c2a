#pragma once
#include <span>
#include <string>
#include <string_view>

#include "inference/metrics/metric.h"

namespace weft {

/// How text becomes words. rouge: lower case, runs of a-z and 0-9; white space: nothing else; char: each character, in lower case, for
/// Chinese.
enum class RougeTokenizer { kRouge, kWhiteSpace, kChar };

struct RougeFigures {
  double precision = 0, recall = 0, f1 = 0;  // shares, not percent
};

struct RougeScore {
  RougeFigures rouge1, rouge2, rouge_l;
};

/// Overlap of words, of pairs of words, and of the longest common subsequence over the whole text; F1 = 2 P R / (P + R), 0 where nothing
/// overlaps. No stemming. Of several references the best F1 counts, for each figure by itself. Lin, 2004; figures as the package
/// rouge-score's. A corpus has the mean of its texts' F1.
RougeScore rouge_score(std::string_view hypothesis, const References&, RougeTokenizer = RougeTokenizer::kRouge);
RougeScore mean_rouge(std::span<const std::string> hypotheses, std::span<const References>, RougeTokenizer = RougeTokenizer::kRouge);

}  // namespace weft

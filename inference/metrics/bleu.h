#pragma once
#include <array>

#include "inference/metrics/metric.h"
#include "inference/metrics/tokenize.h"

namespace weft {

inline constexpr std::size_t kBleuOrder = 4;

struct BleuScore {
  double score = 0;
  std::array<double, kBleuOrder> counts{}, totals{}, precisions{};  // by order 1 .. 4
  double brevity_penalty = 1, hypothesis_length = 0, reference_length = 0;
};

/// score = BP exp(mean of log precision_n, n = 1 .. 4), BP = exp(1 - r / c) where c, the words of the hypotheses, are fewer than r. A match
/// counts at most as often as in the reference that has it most; r takes of each sentence the reference nearest in length, the shorter in a
/// tie. An order without a match counts 1/2, 1/4, ... of one, halved for each such order (smoothing exp); an order without any n-gram makes
/// the score 0. Papineni et al., ACL 2002; figures as sacreBLEU's (Post, WMT 2018).
Metric bleu_metric(BleuTokenizer);
BleuScore bleu_score(const Statistics& sum);

/// Why BLEU says little here: the references have hardly any blanks, less than one in twenty characters, and the tokenizer splits words at
/// them. Empty where all is well, or there is too little text to tell.
std::string words_not_found(BleuTokenizer, std::span<const References>);

}  // namespace weft

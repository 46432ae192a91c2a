#pragma once
#include "inference/metrics/metric.h"

namespace weft {

struct ChrfOptions {
  std::size_t char_order = 6;
  std::size_t word_order = 0;  // 2: chrF++
  double beta = 2;             // recall counts beta times as much as precision
  bool lowercase = false;
};

/// score = 100 (1 + beta^2) P R / (beta^2 P + R), P and R the means of precision and recall over the orders that both sides have; n-grams
/// of characters without white space, and of words with a first or last punctuation mark split off. Of several references the best counts.
/// Popović, WMT 2015 and 2017; figures as sacreBLEU's.
Metric chrf_metric(const ChrfOptions& = {});
MetricScore corpus_chrf(std::span<const std::string> hypotheses, std::span<const References>, const ChrfOptions& = {});

}  // namespace weft

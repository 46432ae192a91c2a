#pragma once
#include "inference/metrics/metric.h"

namespace weft {

/// score = 100 (1 + beta^2) P R / (beta^2 P + R), beta = 2, P and R the means of precision and recall over the orders that both sides have;
/// n-grams of 1 to 6 characters without white space, and of 1 to `word_order` words (2: chrF++) with a first or last punctuation mark split
/// off. Of several references the best counts. Popović, WMT 2015 and 2017; figures as sacreBLEU's.
Metric chrf_metric(std::size_t word_order = 0);

}  // namespace weft

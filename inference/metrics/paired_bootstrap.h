#pragma once
#include <cstdint>

#include "inference/metrics/metric.h"

namespace weft {

struct BootstrapOptions {
  std::int64_t samples = 1000;
  std::uint64_t seed = 1;
};

struct ResampledScore {
  double score = 0;     // of all sentences
  double mean = 0;      // over the samples
  double interval = 0;  // half the width of the range that holds 95 % of the samples
};

struct PairedBootstrap {
  ResampledScore first, second;
  double p_value = 1;
};

/// Draws sets of as many sentences, with replacement, and scores both systems on each (Koehn, EMNLP 2004). p = (1 + samples in which
/// |difference| - mean |difference| >= |difference on all sentences|) / (1 + samples): how often chance alone makes such a difference. It
/// is that of sacreBLEU's --paired-bs, but 1 for equal outputs, where sacreBLEU's `>` gives the least p there is. Sentence i of sample s is
/// a pure function of seed, s and i.
PairedBootstrap paired_bootstrap(const Metric&, std::span<const Statistics> first, std::span<const Statistics> second,
                                 const BootstrapOptions& = {});

}  // namespace weft

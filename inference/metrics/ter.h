#pragma once
#include "inference/metrics/metric.h"

namespace weft {

struct TerOptions {
  bool normalized = false;  // entities and Western punctuation as words of their own
  bool no_punctuation = false;
  bool asian = false;  // with normalized: each Chinese character and CJK mark a word; with no_punctuation: CJK marks go too
  bool case_sensitive = false;
};

/// score = 100 x edits / words of the reference; an edit inserts, deletes or replaces a word or shifts a run of words. Of several
/// references the one that costs least, over their mean length. Finding the fewest edits is hard, so shifts are taken greedily, with the
/// limits of Tercom (Snover et al., AMTA 2006) as sacreBLEU has them: runs of 10 words, 50 words far, 1,000 trials a sentence.
Metric ter_metric(const TerOptions& = {});
MetricScore corpus_ter(std::span<const std::string> hypotheses, std::span<const References>, const TerOptions& = {});

}  // namespace weft

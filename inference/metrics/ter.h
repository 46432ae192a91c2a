#pragma once
#include "inference/metrics/metric.h"

namespace weft {

/// score = 100 x edits / words of the reference, in lower case; an edit inserts, deletes or replaces a word or shifts a run of words. Of
/// several references the one that costs least, over their mean length. Finding the fewest edits is hard, so shifts are taken greedily,
/// with the limits of Tercom (Snover et al., AMTA 2006) as sacreBLEU has them: runs of 10 words, 50 words far, 1,000 trials a sentence.
Metric ter_metric();

}  // namespace weft

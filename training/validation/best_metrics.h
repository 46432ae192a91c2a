#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "training/run_state.h"
#include "training/training_config.h"

namespace weft {

/// loss and perplexity are better when smaller, scores when larger.
bool larger_is_better(std::string_view metric);

/// Takes the value of a validation at `step`: a new best (by more than `epsilon`), or one more that has not been. What is not finite is
/// never the best, nor is a score that shows as 0.00 before there was a better one; in the warm-up that is no stalled validation either,
/// since a model that has learned next to nothing matches nothing. Returns whether it is a new best.
bool note_value(BestMetrics&, const std::string& metric, double value, std::int64_t step, double epsilon, bool warming_up = false);

/// "new best", "no best yet", or "stalled 3 times (last best: 7.904 at step 9000)"; `digits` after the decimal point.
std::string describe(const BestValue&, int digits);

/// Whether as many validations in a row as the configuration says had no new best, by the first, by all or by any of the metrics.
bool has_stalled(const BestMetrics&, std::span<const std::string> metrics, const EarlyStoppingConfig&);

}  // namespace weft

#pragma once
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "data/batch_sampler.h"
#include "runtime/files/json.h"
#include "state/checkpoint/checkpoint_config.h"
#include "training/run_counts.h"

namespace weft {

/// The best value of a validation metric so far.
struct BestValue {
  double value = 0;  // NaN: no validation has had one that counts
  std::int64_t step = 0;
  std::int64_t stalled = 0;  // validations since

  bool known() const { return std::isfinite(value); }
};

using BestMetrics = std::map<std::string, BestValue>;

/// What a run must know to go on, beside weights and moments: saved with every checkpoint.
struct RunState {
  RunCounts counts;
  Position position;                      // of the next update
  std::optional<SamplerConfig> sampling;  // that it was cut with; older checkpoints do not say
  std::int64_t adam_count = 0;            // updates that were applied
  std::int64_t nonfinite_row = 0;
  bool validation_due = false;          // the validation of this step comes after its save; a resume does it first
  BestMetrics best;                     // by metric
  std::string validation;               // which text `best` was judged on; older checkpoints do not say
  std::string tokenize = "13a";         // how BLEU cut it into words; older checkpoints do not say
  Reset reset;                          // checkpoint.reset as it was, since it is applied once; older checkpoints know none
  std::int64_t schedule_start = 0;      // the step from which the learning rate counts
  std::vector<std::int64_t> kept_best;  // steps that pruning leaves for it; older checkpoints do not say
};

/// checkpoint.reset as the state was saved with it, also of a state that is no run's own (an exported model).
Reset recorded_reset(const Json& run_state);
Json to_json(const RunState&);
Json to_json(const BestMetrics&);
BestMetrics best_metrics_from(const Json&);
/// A missing or mistyped member fails (exit 64) and is named.
RunState run_state_from(const Json&);

}  // namespace weft

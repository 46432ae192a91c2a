#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/data_config.h"
#include "inference/metrics/tokenize.h"
#include "training/frequency.h"

namespace weft {

enum class Normalization { kTokens, kSents };
enum class LrScheduler { kInverseSqrt, kCosine, kLinear, kWsd, kConstant };
enum class OnNonFinite { kSkip, kStop };

/// The learning-rate keys of section `training`.
struct ScheduleConfig {
  double learning_rate = 3e-4;  // the peak
  LrScheduler kind = LrScheduler::kInverseSqrt;
  std::int64_t warmup_steps = 16000;
  double warmup_init_lr = 0, min_lr = 0;
  std::int64_t decay_steps = 0;  // cosine, linear: the step at which min_lr is reached; wsd: length of the tail; 0: train_steps
};

/// The limits of section `training`; 0: none. The first one reached ends the run.
struct LimitsConfig {
  std::int64_t train_steps = 0;
  double max_epochs = 0;
  std::int64_t max_tokens_seen = 0;
  double stop_time_hours = 0;
};

/// Which metrics must have stalled.
enum class EarlyStoppingOn { kFirst, kAll, kAny };

/// The early_stopping keys of section `validation`.
struct EarlyStoppingConfig {
  std::int64_t validations = 0;  // without a new best, in a row; 0: off
  EarlyStoppingOn on = EarlyStoppingOn::kFirst;
  double epsilon = 0;  // a new best is better by more than this
};

/// What is left of section `training`, the rest of `validation`, and checkpoint.save_freq.
struct TrainingConfig {
  BatchType batch_type = BatchType::kTokens;
  std::int64_t batch_size = 25000;    // per update, over the whole job
  std::int64_t micro_batch_size = 0;  // rows of one side, per rank and pass; 0: auto
  Normalization normalization = Normalization::kTokens;
  ScheduleConfig schedule;
  LimitsConfig limits;
  Frequency report_freq{Frequency::Unit::kUpdates, 100};
  Frequency valid_freq{Frequency::Unit::kUpdates, 5000};
  Frequency save_freq{Frequency::Unit::kUpdates, 5000};
  OnNonFinite on_nonfinite = OnNonFinite::kSkip;
  std::int64_t max_nonfinite = 10;
  std::vector<std::string> valid_metrics{"perplexity"};
  BleuTokenizer tokenize = BleuTokenizer::k13a;  // of BLEU
  EarlyStoppingConfig early_stopping;
};

}  // namespace weft

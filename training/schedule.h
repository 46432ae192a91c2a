#pragma once
#include <cstdint>

#include "training/training_config.h"

namespace weft {

/// The learning rate that update `step` uses; step counts from 1. Warm-up is linear: init + (peak - init) step / warmup_steps below
/// warmup_steps, so the peak is reached at step = warmup_steps under every scheduler. After it, with w = warmup_steps:
///   inverse_sqrt  peak sqrt(max(w, 1) / step)
///   cosine        min + (peak - min) (1 + cos(pi f)) / 2,  f = (step - w) / (decay_steps - w); min_lr from decay_steps on
///   linear        peak - (peak - min) f, f as above
///   wsd           peak, then linear to min_lr over the last decay_steps of train_steps
///   constant      peak
/// `train_steps` stands in for decay_steps of cosine and linear where that is 0. The checks of the configuration make sure that what
/// the scheduler needs is there; a missing length is a broken contract.
double learning_rate(const ScheduleConfig&, std::int64_t step, std::int64_t train_steps);

}  // namespace weft

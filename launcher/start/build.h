#pragma once
#include "launcher/start/choose.h"
#include "launcher/start/start_up.h"
#include "launcher/start/text.h"
#include "runtime/device.h"
#include "training/trainer.h"

namespace weft {

/// Phase 7: all that the trainer is made of. What it refers to outlives it.
TrainingJob training_job(const StartUp&, const Text&, const Choice&, Device&);

}  // namespace weft

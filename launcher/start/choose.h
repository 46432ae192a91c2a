#pragma once
#include "launcher/ranks/machine.h"
#include "launcher/start/checkpoint.h"
#include "launcher/start/start_up.h"
#include "launcher/start/text.h"
#include "models/model_config.h"
#include "training/memory_plan.h"

namespace weft {

/// How a run computes.
struct Choice {
  ModelConfig model;  // with the sizes of its vocabularies
  Machine machine;
  MemoryPlan memory;
  Json layout, chosen;  // as a checkpoint records them
};

/// Phase 6: device, number format and micro-batch, what a checkpoint has recorded before what `auto` finds. What does not fit fails with
/// exit 64 before any memory is taken. All ranks must have read the same data and chosen alike. Then the start is told on the screen.
Choice choose(const StartUp&, const Text&, const Beginning&);

}  // namespace weft

#pragma once
#include "launcher/config/config.h"
#include "launcher/ranks/machine.h"
#include "training/memory_plan.h"

namespace weft {

/// What a training run on such ranks asks of the memory of each, beside what this process holds already. `model` has the sizes of its
/// vocabularies.
MemoryQuestion memory_question(const Config&, const ModelConfig&, const Machine&, Grid);

/// The most rows of one side in one update of all ranks.
std::int64_t batch_rows(const Config&);

/// Whether a metric of validation judges translations, so that validation decodes.
bool translates_validation(const TrainingConfig&);

}  // namespace weft

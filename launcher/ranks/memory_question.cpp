#include "launcher/ranks/memory_question.h"

#include <algorithm>

#include "training/available_memory.h"
#include "training/validation/translation_validator.h"

namespace weft {

MemoryQuestion memory_question(const Config& config, const ModelConfig& model, const Machine& machine, Grid grid) {
  MemoryQuestion question{.model = model,
                          .optimizer = config.optimizer,
                          .dtype = machine.dtype,
                          .kernels = machine.kernels,
                          .parallel = config.parallel,
                          .grid = grid,
                          .program_bytes = resident_memory()};
  if (translates_validation(config.training)) question.decoding = config.decoding;
  return question;
}

std::int64_t batch_rows(const Config& config) {
  const TrainingConfig& training = config.training;
  return training.batch_type == BatchType::kTokens ? training.batch_size : training.batch_size * config.model.max_length;
}

bool translates_validation(const TrainingConfig& training) {
  return std::ranges::any_of(training.valid_metrics, judges_translations);
}

}  // namespace weft

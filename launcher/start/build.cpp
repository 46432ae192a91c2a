#include "launcher/start/build.h"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string>

#include "launcher/ranks/memory_question.h"
#include "launcher/ranks/signals.h"

namespace weft {
namespace {

std::optional<TranslationValidation> translations_of(const Config& config, const PreparedData& data) {
  if (!data.valid || !translates_validation(config.training)) return std::nullopt;
  TranslationValidation validation{.source = data.source,
                                   .target = data.target,
                                   .text = data.valid_text,
                                   .decoding = config.decoding,
                                   .max_length = config.model.max_length,
                                   .metrics = {},
                                   .tokenizer = config.training.tokenize,
                                   .folder = config.run_dir + "/valid"};
  std::ranges::copy_if(config.training.valid_metrics, std::back_inserter(validation.metrics), judges_translations);
  return validation;
}

}  // namespace

TrainingJob training_job(const StartUp& start, const Text& text, const Choice& choice, Device& device) {
  const Config& config = start.config;
  const auto seed = static_cast<std::uint64_t>(config.seed);
  return {.run_dir = config.run_dir,
          .seed = seed,
          .model = choice.model,
          .training = config.training,
          .optimizer = config.optimizer,
          .checkpoint = config.checkpoint,
          .parallel = config.parallel,
          .dtype = choice.machine.dtype,
          .bucket_size = config.data.bucket_size,
          .shuffle = config.data.shuffle,
          .device = device,
          .mesh = start.job.mesh(),
          .progress = start.job.progress(),
          .storage = start.storage,
          .log = start.log,
          .train = text.data.train,
          .valid = text.data.valid ? &*text.data.valid : nullptr,
          .validation = text.validation,
          .tokenize = std::string(name(config.training.tokenize)),
          .translations = translations_of(config, text.data),
          .micro_batch_rows = choice.memory.micro_batch_rows,
          .arena_bytes = choice.memory.arena(),
          .identity = {.seed = seed,
                       .layout = choice.layout,
                       .fingerprints = text.fingerprints,
                       .chosen = choice.chosen,
                       .config = start.config_text,
                       .version = start.version},
          .stop_requested = stop_requested};
}

}  // namespace weft

#include <algorithm>
#include <array>
#include <filesystem>
#include <system_error>
#include <utility>

#include <fmt/format.h>

#include "data/vocabulary/vocabulary.h"
#include "launcher/config/checks.h"
#include "launcher/config/keys/key.h"
#include "launcher/config/keys/names.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// Keys that do something only beside another key.
struct Need {
  std::vector<std::string> keys;
  std::string other;  // that would give them an effect
  bool (*met)(const Config&);
};

bool validates(const Config& c) {
  const bool trains = !c.data.train.empty() || !c.data.prepared.empty();
  return !trains || c.data.valid.given() || !c.data.prepared.empty();  // whether a prepared folder has any is known when it is opened
}

bool learns(const Config& c) {
  return learns_vocabulary(c.vocab);
}

bool decays(const Config& c) {
  const LrScheduler kind = c.training.schedule.kind;
  return kind == LrScheduler::kCosine || kind == LrScheduler::kLinear || kind == LrScheduler::kWsd;
}

const Need& validation_need() {
  static const Need need{{"validation.valid_freq", "validation.valid_metrics", "validation.tokenize", "validation.early_stopping",
                          "validation.early_stopping_epsilon", "checkpoint.keep_best"},
                         "data.valid",
                         validates};
  return need;
}

/// What is not here has an effect whatever the other keys are.
const std::vector<Need>& needs() {
  static const std::vector<Need> all{
      validation_need(),
      {{"validation.early_stopping_on"},
       "validation.early_stopping",
       [](const Config& c) { return c.training.early_stopping.validations > 0; }},
      {{"vocab.algorithm", "vocab.character_coverage", "vocab.byte_fallback", "vocab.normalization"},
       "a vocabulary that is learned: no vocab.src and vocab.tgt",
       learns},
      {{"vocab.algorithm", "vocab.character_coverage", "vocab.byte_fallback", "vocab.normalization"},
       "vocab.type: sentencepiece",
       [](const Config& c) { return c.vocab.type == VocabType::kSentencePiece || !learns(c); }},
      {{"vocab.vocab_size"},
       "vocab.type: sentencepiece, word or char; bytes always have 259 entries",
       [](const Config& c) { return c.vocab.type != VocabType::kByte || !learns(c); }},
      {{"model.rope_pairing", "model.rope_base"},
       "model.positions: rope",
       [](const Config& c) { return c.model.positions == Positions::kRope; }},
      {{"training.adam_beta1", "training.adam_beta2", "training.adam_eps"},
       "training.optimizer: adam or adamw",
       [](const Config& c) { return c.optimizer.kind != OptimizerKind::kSgd; }},
      {{"training.momentum", "training.nesterov"},
       "training.optimizer: sgd",
       [](const Config& c) { return c.optimizer.kind == OptimizerKind::kSgd; }},
      {{"training.min_lr", "training.decay_steps"}, "training.lr_scheduler: cosine, linear or wsd", decays},
      {{"training.warmup_init_lr"}, "training.warmup_steps", [](const Config& c) { return c.training.schedule.warmup_steps > 0; }},
      {{"training.max_nonfinite"},
       "training.on_nonfinite: skip",
       [](const Config& c) { return c.training.on_nonfinite == OnNonFinite::kSkip; }},
      {{"decoding.temperature", "decoding.top_k", "decoding.top_p"},
       "decoding.sample: true",
       [](const Config& c) { return c.decoding.sample; }},
      {{"decoding.alpha"}, "decoding.length_penalty: avg or wu", [](const Config& c) {
         return c.decoding.length_penalty != LengthPenalty::kNone;
       }}};
  return all;
}

/// A value that asks for nothing is as good as none.
bool is_off(const std::string& value) {
  constexpr std::array<std::string_view, 5> kOff{"0", "0u", "false", "null", "none"};
  return std::ranges::find(kOff, value) != kOff.end();
}

void add_unmet(std::vector<Conflict>& conflicts, const Need& need, const Config& config, const Config& defaults) {
  for (const std::string& path : need.keys) {
    const Key& key = *find_key(path).second;
    const std::string value = key.write(config);
    if (value == key.write(defaults) || is_off(value)) continue;
    conflicts.push_back({{.path = path, .what = "needs " + need.other, .found = key.name + ": " + value}, {path}});
  }
}

/// A size that is written beside an existing vocabulary is that of the file.
void check_vocabulary_size(std::vector<Conflict>& conflicts, const Config& config, const Config& defaults) {
  if (learns(config) || config.vocab.vocab_size == defaults.vocab.vocab_size) return;
  for (const auto& [key, file] : {std::pair{"vocab.src", config.vocab.src}, {"vocab.tgt", config.vocab.tgt}}) {
    std::error_code error;
    if (file.empty() || !std::filesystem::is_regular_file(file, error)) continue;  // named by who needs it
    const std::int64_t size = Vocabulary::load(file).size();
    if (size == config.vocab.vocab_size) continue;
    conflicts.push_back({{.path = "vocab.vocab_size",
                          .what = fmt::format("{} has {} entries", key, size),
                          .found = fmt::format("vocab_size: {}", config.vocab.vocab_size),
                          .expected = fmt::format("{}, or none: it is for a vocabulary that is learned", size)},
                         {"vocab.vocab_size"}});
    return;
  }
}

}  // namespace

std::vector<Conflict> check_needs(const Config& config, const Config& defaults) {
  std::vector<Conflict> conflicts;
  for (const Need& need : needs()) {
    if (!need.met(config)) add_unmet(conflicts, need, config, defaults);
  }
  check_vocabulary_size(conflicts, config, defaults);
  return conflicts;
}

void require_no_validation_keys(const Config& config, const std::string& prepared_folder) {
  std::vector<Conflict> conflicts;
  add_unmet(conflicts, validation_need(), config, Config{});
  std::vector<Problem> problems;
  for (Conflict& conflict : conflicts) {
    conflict.problem.expected = fmt::format("validation text in {}, which holds none", prepared_folder);
    problems.push_back(conflict.problem);
  }
  if (!problems.empty()) fail_input(problems_text(problems));
}

}  // namespace weft

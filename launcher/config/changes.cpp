#include "launcher/config/changes.h"

#include <algorithm>
#include <array>
#include <map>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace weft {
namespace {

/// Values by key (`training.batch_size`), of a dump: sections, and indented below them a key on each line.
std::map<std::string, std::string> values_of(const std::string& dump) {
  std::map<std::string, std::string> values;
  std::istringstream lines(dump);
  std::string section;
  for (std::string line; std::getline(lines, line);) {
    const std::size_t begin = std::min(line.size(), line.find_first_not_of(' ')), colon = line.find(": ", begin);
    if (begin == 0) section.clear();
    if (colon == std::string::npos) {
      section = line.substr(0, line.find(':')) + ".";
    } else {
      values[section + line.substr(begin, colon - begin)] = line.substr(colon + 2);
    }
  }
  return values;
}

/// Of section model, but no other model.
constexpr std::array<std::string_view, 4> kOfTraining{"model.dropout", "model.attention_dropout", "model.activation_dropout",
                                                      "model.max_length"};
/// Of section training, but without effect on an update.
constexpr std::array<std::string_view, 10> kWithoutEffect{
    "training.micro_batch_size", "training.accum_count",     "training.recompute",   "training.train_steps",  "training.max_epochs",
    "training.max_tokens_seen",  "training.stop_time_hours", "training.report_freq", "training.on_nonfinite", "training.max_nonfinite"};

template <std::size_t N>
bool contains(const std::array<std::string_view, N>& keys, const std::string& key) {
  return std::find(keys.begin(), keys.end(), key) != keys.end();
}

bool makes_the_model(const std::string& key) {
  return key == "task" || (key.starts_with("model.") && !contains(kOfTraining, key));
}

bool makes_the_numbers(const std::string& key) {
  return key == "seed" || key == "data.shuffle" || key == "data.bucket_size" || contains(kOfTraining, key) ||
         (key.starts_with("training.") && !contains(kWithoutEffect, key));
}

/// Whether the learning rate is a function of training.train_steps.
bool rate_ends_with_the_run(const std::map<std::string, std::string>& values) {
  const std::string& scheduler = values.at("training.lr_scheduler");
  return scheduler == "wsd" || ((scheduler == "cosine" || scheduler == "linear") && values.at("training.decay_steps") == "null");
}

}  // namespace

ConfigChanges changes_of(const std::string& recorded, const std::string& now) {
  const std::map<std::string, std::string> before = values_of(recorded), after = values_of(now);
  ConfigChanges changes;
  for (const auto& [key, value] : after) {
    const auto found = before.find(key);
    if (found == before.end() || found->second == value) continue;  // a key that is new has its default, as it was
    const bool shapes_rate = key == "training.train_steps" && rate_ends_with_the_run(after);
    if (!makes_the_model(key) && !makes_the_numbers(key) && !shapes_rate) continue;
    std::string& text = makes_the_model(key) ? changes.model : changes.numbers;
    text += fmt::format("{}{} {} -> {}", text.empty() ? "" : ", ", key, found->second, value);
  }
  return changes;
}

}  // namespace weft

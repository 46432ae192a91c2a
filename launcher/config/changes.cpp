#include "launcher/config/changes.h"

#include <algorithm>
#include <optional>

#include <fmt/format.h>

#include "launcher/config/keys/key.h"
#include "launcher/input/yaml_node.h"

namespace weft {
namespace {

/// nullptr: there is none.
const YamlNode* find(const YamlNode& map, const std::string& name) {
  const auto key = std::ranges::find(map.keys, name, &YamlNode::scalar);
  return key == map.keys.end() ? nullptr : &map.items[static_cast<std::size_t>(key - map.keys.begin())];
}

/// Whether the learning rate is a function of training.train_steps.
bool rate_ends_with_the_run(const ScheduleConfig& schedule) {
  const bool falls_to_an_end = schedule.kind == LrScheduler::kCosine || schedule.kind == LrScheduler::kLinear;
  return schedule.kind == LrScheduler::kWsd || (falls_to_an_end && schedule.decay_steps == 0);
}

}  // namespace

ConfigChanges changes_of(const std::string& recorded, const Config& now) {
  ConfigChanges changes;
  std::vector<Problem> problems;
  const std::optional<YamlNode> before = parse_yaml(recorded, "", problems);
  if (!before) return changes;
  for (const Section& section : sections()) {
    const YamlNode* values = section.name.empty() ? &*before : find(*before, section.name);
    for (const Key& key : section.keys) {
      const YamlNode* value = values == nullptr ? nullptr : find(*values, key.name);
      if (value == nullptr || flow_text(*value) == key.write(now)) continue;  // a key that is new has its default, as it was
      Change change = key.change.value_or(section.change);
      if (change == Change::kEnd) change = rate_ends_with_the_run(now.training.schedule) ? Change::kNumbers : Change::kNone;
      if (change == Change::kNone) continue;
      std::string& text = change == Change::kModel ? changes.model : changes.numbers;
      text += fmt::format("{}{}{}{} {} -> {}", text.empty() ? "" : ", ", section.name, section.name.empty() ? "" : ".", key.name,
                          flow_text(*value), key.write(now));
    }
  }
  return changes;
}

}  // namespace weft

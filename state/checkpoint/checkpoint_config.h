#pragma once
#include <array>
#include <string>
#include <vector>

namespace weft {

/// What a resume starts fresh.
struct Reset {
  bool optimizer = false;  // moments and Adam's count
  bool data = false;       // the position; the corpus may be another
  bool scheduler = false;  // the learning rate counts from the step that is resumed
  bool metrics = false;    // best values and how long there was no new one

  friend bool operator==(const Reset&, const Reset&) = default;
};
/// The words that configurations and checkpoints have for its parts.
struct NamedReset {
  const char* name;
  bool Reset::*part;
};
inline constexpr std::array<NamedReset, 4> kResets{
    {{"optimizer", &Reset::optimizer}, {"data", &Reset::data}, {"scheduler", &Reset::scheduler}, {"metrics", &Reset::metrics}}};

/// optimizer, data
inline std::string describe(const Reset& reset) {
  std::string text;
  for (const auto& [name, part] : kResets) {
    if (reset.*part) text += (text.empty() ? "" : ", ") + std::string(name);
  }
  return text;
}
/// Those of `wanted` that `done` has not.
inline Reset without(Reset wanted, const Reset& done) {
  for (const auto& [name, part] : kResets) wanted.*part = wanted.*part && !(done.*part);
  return wanted;
}

/// Section `checkpoint` of the configuration, but for save_freq, which the loop owns.
struct CheckpointConfig {
  int keep_checkpoint = 3;  // newest, never below 2
  int keep_best = 1;
  bool async_save = true;
  int max_failed_saves = 3;     // in a row, then exit 79
  std::string resume = "auto";  // auto, never, or the path of a checkpoint
  Reset reset;                  // applied once: the next checkpoint records it
  std::string init_from;        // a run, a checkpoint or an exported model; empty: none
};

}  // namespace weft

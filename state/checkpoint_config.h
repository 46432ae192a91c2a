#pragma once
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
/// optimizer, data
inline std::string describe(const Reset& reset) {
  std::string text;
  const auto add = [&](bool wanted, const char* word) {
    if (wanted) text += (text.empty() ? "" : ", ") + std::string(word);
  };
  add(reset.optimizer, "optimizer");
  add(reset.data, "data");
  add(reset.scheduler, "scheduler");
  add(reset.metrics, "metrics");
  return text;
}
/// Those of `wanted` that `done` has not.
inline Reset without(const Reset& wanted, const Reset& done) {
  return {.optimizer = wanted.optimizer && !done.optimizer,
          .data = wanted.data && !done.data,
          .scheduler = wanted.scheduler && !done.scheduler,
          .metrics = wanted.metrics && !done.metrics};
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

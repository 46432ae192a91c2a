#pragma once
#include <string>
#include <vector>

namespace weft {

/// Section `checkpoint` of the configuration, but for save_freq, which the loop owns.
struct CheckpointConfig {
  int keep_checkpoint = 3;  // newest, never below 2
  int keep_best = 1;
  bool async_save = true;
  int max_failed_saves = 3;     // in a row, then exit 79
  std::string resume = "auto";  // auto, never, or the path of a checkpoint
};

}  // namespace weft

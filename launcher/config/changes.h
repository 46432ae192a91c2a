#pragma once
#include <string>

#include "launcher/config/config.h"

namespace weft {

/// How the configuration of a run differs from the one that its checkpoint carries.
struct ConfigChanges {
  std::string model;    // what makes it another model: `model.num_heads 8 -> 4, ...`
  std::string numbers;  // what makes it go on with other numbers than it would have: learning rate, dropout, batches, seed
};
/// `recorded` is as dump_config wrote it. Each key says what its change means (Key::change).
ConfigChanges changes_of(const std::string& recorded, const Config& now);

}  // namespace weft

#pragma once
#include <string>

namespace weft {

/// How the configuration of a run differs from the one that its checkpoint carries, both as dump_config writes them.
struct ConfigChanges {
  std::string model;    // what makes it another model: `model.num_heads 8 -> 4, ...`
  std::string numbers;  // what makes it go on with other numbers than it would have: learning rate, dropout, batches, seed
};
/// Frequencies, limits, paths, decoding, and what the manifest records by itself (layout, number format) are no changes.
ConfigChanges changes_of(const std::string& recorded, const std::string& now);

}  // namespace weft

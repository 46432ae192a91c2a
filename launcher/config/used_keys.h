#pragma once
#include <string>
#include <vector>

namespace weft {

/// Which keys of a configuration a verb uses; what else is given to it would be ignored.
struct UsedKeys {
  std::string verb;
  std::vector<std::string> names;   // `section.*`: all keys of the section
  std::vector<std::string> except;  // of those

  /// `decoding.*, precision.*, device or seed, but not decoding.scores`.
  std::string words() const;
  /// Fails with exit 64 at the first of `given`, the keys of --set, that the verb does not use.
  void require(const std::vector<std::string>& given) const;
};

}  // namespace weft

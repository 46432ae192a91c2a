#pragma once
#include <functional>
#include <string>
#include <vector>

#include "launcher/input/options.h"

namespace weft {

/// What the command line asks for. Returns what the process exits with; throws Error where it cannot go on.
using Action = std::function<int()>;

/// What the program can be asked to do.
struct Verb {
  std::string name;
  std::string summary;
  /// Declares the options of the verb; what it returns is run once they are read.
  Action (*declare)(Options&) = nullptr;
};

const std::vector<Verb>& verbs();
/// The names of verbs that are not built yet.
const std::vector<std::string>& later_verbs();

}  // namespace weft

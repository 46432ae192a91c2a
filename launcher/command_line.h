#pragma once
#include <string>
#include <vector>

#include "launcher/verbs.h"

namespace weft {

/// What the arguments ask for; `arguments` without the name of the program. Throws Error kBadInput with the nearest verb or option.
Action parse_command_line(const std::vector<std::string>& arguments);

}  // namespace weft

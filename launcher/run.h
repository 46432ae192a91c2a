#pragma once
#include <string>
#include <vector>

namespace weft {

/// The whole program but for argv: parses, loads the configuration, runs the verb. Returns what the process exits with; a message for
/// the user goes to stderr as "weft: ...", results to stdout. Throws nothing.
int run(const std::vector<std::string>& arguments) noexcept;

}  // namespace weft

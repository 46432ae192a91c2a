#pragma once
#include <string>

namespace weft {

/// As this machine calls itself; "unknown" when it does not say.
std::string host_name();

}  // namespace weft

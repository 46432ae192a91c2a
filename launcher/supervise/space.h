#pragma once
#include <cstdint>
#include <string>

namespace weft {

/// Bytes of the files in a folder; 0 when it cannot be read.
std::uintmax_t folder_bytes(const std::string& folder);
/// Free bytes of its file system; the largest number when it does not say.
std::uintmax_t free_bytes(const std::string& folder);

}  // namespace weft

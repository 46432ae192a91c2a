#pragma once
#include <cstdint>
#include <string>

namespace weft {

/// Bytes of the files in a folder; 0 when it cannot be read.
std::uintmax_t folder_bytes(const std::string& folder);
/// Bytes that its file system still gives; the most there can be when it does not say.
std::uintmax_t free_bytes(const std::string& folder);

}  // namespace weft

#include "launcher/supervise/space.h"

#include <filesystem>
#include <limits>
#include <system_error>

namespace weft {

namespace fs = std::filesystem;

std::uintmax_t folder_bytes(const std::string& folder) {
  std::uintmax_t bytes = 0;
  std::error_code error;
  for (fs::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    const std::uintmax_t size = it->file_size(error);
    if (!error) bytes += size;
  }
  return bytes;
}

std::uintmax_t free_bytes(const std::string& folder) {
  std::error_code error;
  const fs::space_info space = fs::space(folder, error);
  return error ? std::numeric_limits<std::uintmax_t>::max() : space.available;
}

}  // namespace weft

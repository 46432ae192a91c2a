#include "launcher/input/missing_file.h"

#include <system_error>
#include <vector>

#include <fmt/format.h>

#include "launcher/input/problem.h"

namespace weft {

namespace fs = std::filesystem;

std::string nearest_file(const fs::path& path) {
  std::vector<std::string> names;
  std::error_code error;
  for (fs::directory_iterator it(path.has_parent_path() ? path.parent_path() : fs::path("."), error), end; !error && it != end;
       it.increment(error)) {
    names.push_back(it->path().filename().string());
  }
  const auto nearest = nearest_name(path.filename().string(), names);
  return nearest ? (path.parent_path() / *nearest).string() : "";
}

std::string seen_from(const fs::path& path) {
  std::error_code error;
  const fs::path here = fs::current_path(error);
  return path.is_absolute() || error ? "" : fmt::format(", in the working directory {}", here.string());
}

}  // namespace weft

#include "runtime/files/storage.h"

#include <system_error>

#include <fmt/format.h>

namespace weft {

StorageError::StorageError(const std::string& operation, const std::string& path, int error_number)
    : Error(ExitCode::kStorage,
            fmt::format("{} {}: {} ({})", operation, path, std::generic_category().message(error_number), error_number)),
      error_number_(error_number) {}

bool is_bare_name(const std::string& name) {
  return !name.empty() && name != "." && name != ".." && name.find('/') == std::string::npos && name.find('\0') == std::string::npos;
}

std::string read_file(Storage& storage, const std::string& path, std::int64_t max_bytes) {
  const auto file = storage.open(path);
  if (file->size() > max_bytes) fail_input(fmt::format("{}: {} bytes, at most {} are read", path, file->size(), max_bytes));
  std::string text(static_cast<std::size_t>(file->size()), '\0');
  file->read(0, std::as_writable_bytes(std::span(text)));
  return text;
}

void remove_tree(Storage& storage, const std::string& folder) {
  for (const Storage::Entry& entry : storage.list(folder)) {
    const std::string path = folder + "/" + entry.name;
    if (entry.is_folder) {
      remove_tree(storage, path);
    } else {
      storage.remove_file(path);
    }
  }
  storage.remove_folder(folder);
}

}  // namespace weft

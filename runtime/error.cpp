#include "runtime/error.h"

#include <fmt/format.h>

namespace weft {

void fail(const std::string& message, std::source_location where) {
  throw Error(ExitCode::kInternal, fmt::format("{} ({}:{})", message, where.file_name(), where.line()));
}

void fail_input(const std::string& message) {
  throw Error(ExitCode::kBadInput, message);
}

void fail_numerics(const std::string& message) {
  throw Error(ExitCode::kNumerics, message);
}

}  // namespace weft

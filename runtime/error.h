#pragma once
#include <source_location>
#include <stdexcept>
#include <string>

#include "runtime/exit_code.h"

namespace weft {

/// The one exception of the program. `what()` is the whole message as the user reads it; `code()` is what the process exits with.
class Error : public std::runtime_error {
 public:
  Error(ExitCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ExitCode code() const { return code_; }

 private:
  ExitCode code_;
};

/// A broken contract inside the program, or a failing device or library: exit 1. The message gets file and line of the caller.
[[noreturn]] void fail(const std::string& message, std::source_location where = std::source_location::current());

/// A mistake in what the user gave us: exit 64. The message says where, what was found, what was expected.
[[noreturn]] void fail_input(const std::string& message);

/// Numbers that are not finite where none may be: exit 78.
[[noreturn]] void fail_numerics(const std::string& message);

}  // namespace weft

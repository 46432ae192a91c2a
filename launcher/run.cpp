#include "launcher/run.h"

#include <cstdio>
#include <exception>

#include "launcher/command_line.h"
#include "launcher/input/problem.h"
#include "launcher/ranks/machine.h"
#include "launcher/standard_streams.h"
#include "runtime/error.h"

namespace weft {

int run(const std::vector<std::string>& arguments) noexcept {
  try {
    obey_instruction_set_limit();
    const int code = parse_command_line(arguments)();
    flush_stdout();
    return code;
  } catch (const Error& error) {
    print_error(error);
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return static_cast<int>(ExitCode::kInternal);
  }
}

}  // namespace weft

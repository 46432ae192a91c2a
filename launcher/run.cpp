#include "launcher/run.h"

#include <cstdio>

#include <fmt/format.h>

#include "launcher/verbs.h"
#include "runtime/error.h"

namespace weft {
namespace {

int run_verb(const CommandLine& line) {
  const Verb& verb = *find_verb(line.verb);
  if (!verb.takes_config) return verb.run(Config{}, line);
  if (line.config_files.empty() && line.sets.empty()) fail_input(verb.name + ": no configuration\n  expected  --config FILE");
  const LoadedConfig loaded = load_config(line.config_files, line.sets, line.dump_config ? ConfigUse::kRead : verb.use);
  for (const std::string& note : loaded.notes) fmt::print(stderr, "weft: {}\n", note);
  if (!line.dump_config) {
    if (verb.run == nullptr) fail_input(verb.name + ": not supported yet, but for --dump-config");
    return verb.run(loaded.config, line);
  }
  fmt::print("{}", dump_config(loaded.config));
  return static_cast<int>(ExitCode::kDone);
}

int parse_and_run(const std::vector<std::string>& arguments) {
  const CommandLine line = parse_command_line(arguments);
  if (line.message.empty()) return run_verb(line);
  fmt::print("{}", line.message);
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

int run(const std::vector<std::string>& arguments) noexcept {
  try {
    const int code = parse_and_run(arguments);
    if (std::fflush(stdout) != 0) throw Error(ExitCode::kInternal, "stdout cannot be written");
    return code;
  } catch (const Error& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return static_cast<int>(error.code());
  } catch (const std::exception& error) {
    std::fprintf(stderr, "weft: %s\n", error.what());
    return static_cast<int>(ExitCode::kInternal);
  }
}

}  // namespace weft

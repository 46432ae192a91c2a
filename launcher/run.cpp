#include "launcher/run.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

#include <fmt/format.h>

#include "data/text/text_file.h"
#include "launcher/ranks/environment.h"
#include "launcher/ranks/machine.h"
#include "launcher/ranks/together.h"
#include "launcher/standard_streams.h"
#include "launcher/verbs.h"
#include "runtime/error.h"
#include "runtime/files/checksum.h"

namespace weft {
namespace {

void print_error(const Error& error) {
  if (*error.what() != 0) std::fprintf(stderr, "weft: %s\n", error.what());
}

void print_notes(const LoadedConfig& loaded) {
  for (const std::string& note : loaded.notes) fmt::print(stderr, "weft: {}\n", note);
}

/// The configuration as this rank reads it. What is wrong with it waits until all ranks can end with it.
struct OwnConfig {
  LoadedConfig loaded;
  std::exception_ptr failure;
};

OwnConfig read_config(const Verb& verb, const CommandLine& line) {
  OwnConfig own;
  try {
    own.loaded = load_config(line.config_files, line.sets, verb.use);
  } catch (const Error&) {
    own.failure = std::current_exception();
  }
  return own;
}

/// Of the file that runs here: hosts may have other builds of one version.
std::string program_checksum() {
  return checksum(read_whole_file("/proc/self/exe")).hex();
}

int run_on_ranks(const Verb& verb, const OwnConfig& own, const MpiSession& session, RankWatch& watch) {
  const Config& config = own.loaded.config;
  Job job(session, config.parallel, watch);
  together(job.control(), [&] {
    if (own.failure) std::rethrow_exception(own.failure);
  });
  if (job.size() > 1) require_same(job.control(), "program", program_checksum());
  require_same(job.control(), "configuration", dump_config(config));
  if (job.is_root()) print_notes(own.loaded);
  return verb.run_on_ranks(config, job);
}

/// A verb that knows of no ranks: rank 0 runs it, the others wait and end with its code.
int run_on_root(const Verb& verb, const CommandLine& line, Job& job) {
  int code = 0;
  on_root(job.control(), [&] { code = verb.run(Config{}, line); });
  return std::stoi(job.control().broadcast(std::to_string(code), 0));
}

int run_without_config(const Verb& verb, const CommandLine& line, const MpiSession& session, RankWatch& watch) {
  Job job(session, ParallelConfig{}, watch);
  return verb.run_shared != nullptr ? verb.run_shared(line, job) : run_on_root(verb, line, job);
}

/// A failure that only this rank knows of ends all of them at once, with its code. Rank 0 speaks first where several fail alike.
[[noreturn]] void end_all(const MpiSession& session, const std::exception& failure) {
  const auto* error = dynamic_cast<const Error*>(&failure);
  if (session.rank() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::fprintf(stderr, "weft: rank %d: %s\n", session.rank(), failure.what());
  session.abort(error == nullptr ? ExitCode::kInternal : error->code());
}

int run_in_session(const Verb& verb, const CommandLine& line) {
  OwnConfig own;
  RankWatch watch;
  if (verb.takes_config) own = read_config(verb, line);
  if (verb.takes_config && !own.failure) watch.start(own.loaded.config.parallel.hang_timeout_seconds, own.loaded.config.run_dir);
  const MpiSession session(started_by_mpi());
  try {
    return verb.takes_config ? run_on_ranks(verb, own, session, watch) : run_without_config(verb, line, session, watch);
  } catch (const AgreedError& error) {
    print_error(error);
    return static_cast<int>(error.code());
  } catch (const std::exception& failure) {
    if (!session.started()) throw;
    end_all(session, failure);
  }
}

int run_verb(const CommandLine& line) {
  const Verb& verb = *find_verb(line.verb);
  if (!verb.takes_config && verb.name == "launch") return verb.run(Config{}, line);  // starts the ranks itself
  if (!verb.takes_config) return run_in_session(verb, line);
  if (line.config_files.empty() && line.sets.empty()) fail_input(verb.name + ": no configuration\n  expected  --config FILE");
  if (verb.run_on_ranks != nullptr && !line.dump_config) return run_in_session(verb, line);
  const LoadedConfig loaded = load_config(line.config_files, line.sets, line.dump_config ? ConfigUse::kRead : verb.use);
  print_notes(loaded);
  if (!line.dump_config) {
    if (verb.run == nullptr) fail_input(verb.name + ": not supported yet, but for --dump-config");
    return verb.run(loaded.config, line);
  }
  fmt::print("{}", dump_config(loaded.config));
  return static_cast<int>(ExitCode::kDone);
}

int parse_and_run(const std::vector<std::string>& arguments) {
  obey_instruction_set_limit();
  const CommandLine line = parse_command_line(arguments);
  if (line.message.empty()) return run_verb(line);
  fmt::print("{}", line.message);
  return static_cast<int>(ExitCode::kDone);
}

}  // namespace

int run(const std::vector<std::string>& arguments) noexcept {
  try {
    const int code = parse_and_run(arguments);
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

#include "launcher/run.h"

#include <chrono>
#include <cstdio>
#include <exception>
#include <thread>

#include <fmt/format.h>

#include "launcher/standard_streams.h"
#include "launcher/together.h"
#include "launcher/verbs.h"
#include "launcher/version.h"
#include "parallel/mpi_group.h"
#include "runtime/error.h"

namespace weft {
namespace {

void print_error(const Error& error) {
  if (*error.what() != 0) std::fprintf(stderr, "weft: %s\n", error.what());
}

void print_notes(const LoadedConfig& loaded) {
  for (const std::string& note : loaded.notes) fmt::print(stderr, "weft: {}\n", note);
}

/// Configurations are read by every rank for itself; what any of them finds wrong, all of them end with.
int run_on_ranks(const Verb& verb, const CommandLine& line, const MpiSession& session, RankWatch& watch) {
  LoadedConfig loaded;
  std::exception_ptr failure;
  try {
    loaded = load_config(line.config_files, line.sets, verb.use);
  } catch (const Error&) {
    failure = std::current_exception();
  }
  Job job(session, loaded.config.parallel, watch);
  together(job.control(), [&] {
    if (failure) std::rethrow_exception(failure);
  });
  require_same(job.control(), "program", kVersion);
  require_same(job.control(), "configuration", dump_config(loaded.config));
  if (job.is_root()) print_notes(loaded);
  return verb.run_on_ranks(loaded.config, job);
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
int run_in_session(const Verb& verb, const CommandLine& line) {
  RankWatch watch;
  const MpiSession session(started_by_mpi());
  ExitCode code = ExitCode::kInternal;
  try {
    return verb.run_on_ranks != nullptr ? run_on_ranks(verb, line, session, watch) : run_without_config(verb, line, session, watch);
  } catch (const AgreedError& error) {
    print_error(error);
    return static_cast<int>(error.code());
  } catch (const Error& error) {
    code = error.code();
    if (!session.started()) throw;
    const int rank = MpiGroup::world().rank();
    if (rank != 0) std::this_thread::sleep_for(std::chrono::milliseconds(300));
    std::fprintf(stderr, "weft: rank %d: %s\n", rank, error.what());
  }
  session.abort(code);
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

#include "launcher/ranks/job.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <thread>

#include <fmt/format.h>

#include "launcher/input/problem.h"
#include "launcher/ranks/environment.h"
#include "launcher/ranks/together.h"
#include "parallel/lines.h"
#include "runtime/error.h"
#include "runtime/host_name.h"

namespace weft {
namespace {

/// How many of the ranks have the same host name as this one.
int count_on_host(Control& control, const std::string& host) {
  const Lines hosts = broadcast_lines(control, control.gather(host, 0));
  return static_cast<int>(std::ranges::count(hosts, host));
}

/// Rank 0 speaks first where several fail alike.
[[noreturn]] void end_all(const MpiSession& session, const std::exception& failure) {
  const auto* error = dynamic_cast<const Error*>(&failure);
  if (session.rank() != 0) std::this_thread::sleep_for(std::chrono::milliseconds(300));
  std::fprintf(stderr, "weft: rank %d: %s\n", session.rank(), failure.what());
  session.abort(error == nullptr ? ExitCode::kInternal : error->code());
}

}  // namespace

Job::Job(const MpiSession& session, const ParallelConfig& config, RankWatch& watch)
    : session_(session),
      watch_(watch),
      mesh_(make_mesh(session, config, watch.record, {.say = [this](const std::string& why) { slow_transport_ = why; }})),
      host_(host_name()),
      ranks_on_host_(count_on_host(*mesh_.control, host_)) {}

Mesh Job::mesh_of(Grid grid) const {
  return make_mesh(session_, {.data = grid.data, .tensor = grid.tensor}, watch_.record);
}

int on_ranks(RankWatch& watch, const ParallelConfig& config, const std::function<int(Job&)>& body) {
  const MpiSession session(started_by_mpi());
  try {
    Job job(session, config, watch);
    return body(job);
  } catch (const AgreedError& error) {
    print_error(error);
    return static_cast<int>(error.code());
  } catch (const std::exception& failure) {
    if (!session.started()) throw;
    end_all(session, failure);
  }
}

int on_ranks(const std::function<int(Job&)>& body) {
  RankWatch watch;
  return on_ranks(watch, {}, body);
}

int on_one_rank(const std::function<int(const Job&)>& body) {
  return on_ranks([&](Job& job) {
    int code = 0;
    on_root(job.control(), [&] { code = body(job); });
    return std::stoi(job.control().broadcast(std::to_string(code), 0));
  });
}

Log make_log(const Job& job) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1 || std::getenv(kTerminalVariable) != nullptr;
  if (job.is_root()) return Log({.terminal = terminal});
  return Log({.quietest = LogLevel::kWarning, .rank = fmt::format("rank {} {}", job.rank(), job.host())});
}

}  // namespace weft

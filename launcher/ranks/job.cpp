#include "launcher/ranks/job.h"

#include <unistd.h>

#include <cstdlib>
#include <vector>

#include <fmt/format.h>

#include "launcher/ranks/environment.h"
#include "runtime/host_name.h"

namespace weft {
namespace {

/// How many of the ranks have the same host name as this one.
int count_on_host(Control& control, const std::string& host) {
  const std::vector<std::string> all = control.gather(host, 0);
  std::string list;
  for (const std::string& name : all) list += name + '\n';
  list = control.broadcast(list, 0);
  int count = 0;
  for (std::size_t begin = 0; begin < list.size();) {
    const std::size_t end = list.find('\n', begin);
    count += list.compare(begin, end - begin, host) == 0;
    begin = end + 1;
  }
  return count;
}

}  // namespace

Job::Job(const MpiSession& session, const ParallelConfig& config, RankWatch& watch)
    : watch_(watch),
      mesh_(make_mesh(session, config, watch.record, {.say = [this](const std::string& why) { slow_transport_ = why; }})),
      host_(host_name()),
      ranks_on_host_(count_on_host(*mesh_.control, host_)) {}

Log make_log(const Job& job) {
  const bool terminal = ::isatty(STDERR_FILENO) == 1 || std::getenv(kTerminalVariable) != nullptr;
  if (job.is_root()) return Log({.terminal = terminal});
  return Log({.quietest = LogLevel::kWarning, .rank = fmt::format("rank {} {}", job.rank(), job.host())});
}

}  // namespace weft

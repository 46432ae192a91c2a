#include "launcher/supervise/hang.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <set>
#include <sstream>
#include <string_view>

#include <fmt/format.h>

namespace weft {
namespace {

/// The last collective of a flight record, and the host that the watchdog wrote below it.
struct LastCollective {
  std::int64_t number = 0;
  std::string text;    // "all_gather #824 of dp, entered"
  std::string host;    // empty: not said
  bool waits = false;  // entered and not left
};

std::string record_of(const std::string& run_dir, int rank) {
  return fmt::format("{}/flight/rank-{}.txt", run_dir, rank);
}

LastCollective read_last(const std::string& path) {
  std::ifstream file(path);
  constexpr std::string_view kHost = "# host ";
  LastCollective collective{.number = 0, .text = "no collective", .host = "", .waits = false};
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kHost)) collective.host = line.substr(kHost.size());
    if (!line.starts_with('#')) last = line;
  }
  std::string group, operation, sequence, bytes, dtype, start, end;
  if (std::istringstream(last) >> collective.number >> group >> operation >> sequence >> bytes >> dtype >> start >> end) {
    collective.waits = end == "-";
    collective.text = fmt::format("{} #{} of {}, {}", operation, sequence, group, collective.waits ? "entered" : "done");
  }
  return collective;
}

using Hosts = std::map<int, std::string>;  // by rank

bool are_several(const Hosts& hosts) {
  return std::any_of(hosts.begin(), hosts.end(), [&](const auto& entry) { return entry.second != hosts.begin()->second; });
}

/// "rank 3", "ranks 0 1 2"; with the hosts where there are several: "ranks 2 3 (node02)".
std::string ranks_text(const std::vector<int>& ranks, const Hosts& hosts) {
  std::set<std::string> own;
  for (const int rank : ranks) {
    if (const auto host = hosts.find(rank); host != hosts.end()) own.insert(host->second);
  }
  std::string text = fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, " "));
  if (are_several(hosts) && !own.empty()) text += fmt::format(" ({})", fmt::join(own, " "));
  return text;
}

}  // namespace

FlightTimes flight_times(const std::string& run_dir, int ranks) {
  FlightTimes times;
  for (int rank = 0; rank < ranks; ++rank) {
    // Opened, since a file server tells a client that asks by name what was true some seconds ago.
    const int file = open(record_of(run_dir, rank).c_str(), O_RDONLY | O_CLOEXEC);
    struct stat status = {};
    if (file >= 0 && fstat(file, &status) == 0) {
      times[rank] = status.st_mtim.tv_sec * std::int64_t{1'000'000'000} + status.st_mtim.tv_nsec;
    } else if (errno != ENOENT) {
      times[rank] = kUnknownTime;
    }
    if (file >= 0) close(file);
  }
  return times;
}

std::vector<int> records_since(const std::string& run_dir, int ranks, const FlightTimes& before) {
  std::vector<int> since;
  for (const auto& [rank, time] : flight_times(run_dir, ranks)) {
    const auto earlier = before.find(rank);
    const bool was_known = earlier == before.end() || earlier->second != kUnknownTime;
    if (time != kUnknownTime && was_known && (earlier == before.end() || earlier->second != time)) since.push_back(rank);
  }
  return since;
}

std::string describe_hang(const std::string& run_dir, int ranks, const FlightTimes& before) {
  const std::vector<int> written = records_since(run_dir, ranks, before);
  std::map<std::string, std::vector<int>> ranks_at;  // by what is their last collective
  std::vector<int> missing;
  Hosts hosts;
  LastCollective lowest{.number = std::numeric_limits<std::int64_t>::max(), .text = "", .host = "", .waits = false};
  bool all_wait = true;
  for (int rank = 0; rank < ranks; ++rank) {
    if (std::find(written.begin(), written.end(), rank) == written.end()) {
      missing.push_back(rank);
      continue;
    }
    const LastCollective last = read_last(record_of(run_dir, rank));
    ranks_at[last.text].push_back(rank);
    if (!last.host.empty()) hosts[rank] = last.host;
    all_wait = all_wait && last.waits;
    // Of ranks in other tensor-parallel groups the numbers say nothing: who waits may have fewer behind it than who keeps it waiting.
    if (!last.waits && last.number < lowest.number) lowest = last;
  }
  if (ranks_at.empty()) return "";
  std::string text;
  if (!missing.empty()) {
    text += fmt::format("\n  suspect   {}: no flight record, so stopped, dead or cut off", ranks_text(missing, hosts));
  } else if (all_wait && are_several(hosts)) {
    text += "\n  suspect   the network: every rank waits in a collective";
  } else if (!all_wait && ranks_at.size() > 1) {
    text += fmt::format("\n  suspect   {}: last in {}", ranks_text(ranks_at[lowest.text], hosts), lowest.text);
    ranks_at.erase(lowest.text);
  }
  for (const auto& [at, list] : ranks_at) text += fmt::format("\n  last      {}: {}", ranks_text(list, hosts), at);
  return text;
}

}  // namespace weft

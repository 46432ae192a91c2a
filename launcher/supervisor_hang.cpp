#include "launcher/supervisor_hang.h"

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
  std::string text;  // "all_gather #824 of dp, entered"
  std::string host;  // empty: not said
};

std::string record_of(const std::string& run_dir, int rank) {
  return fmt::format("{}/flight/rank-{}.txt", run_dir, rank);
}

LastCollective read_last(const std::string& path) {
  std::ifstream file(path);
  constexpr std::string_view kHost = "# host ";
  LastCollective collective{.number = 0, .text = "no collective", .host = ""};
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with(kHost)) collective.host = line.substr(kHost.size());
    if (!line.starts_with('#')) last = line;
  }
  std::string group, operation, sequence, bytes, dtype, start, end;
  if (std::istringstream(last) >> collective.number >> group >> operation >> sequence >> bytes >> dtype >> start >> end) {
    collective.text = fmt::format("{} #{} of {}, {}", operation, sequence, group, end == "-" ? "entered" : "done");
  }
  return collective;
}

using Hosts = std::map<int, std::string>;  // by rank

/// "rank 3", "ranks 0 1 2"; with the hosts where there are several: "ranks 2 3 (node02)".
std::string ranks_text(const std::vector<int>& ranks, const Hosts& hosts) {
  std::set<std::string> all, own;
  for (const auto& [rank, host] : hosts) all.insert(host);
  for (const int rank : ranks) {
    if (const auto host = hosts.find(rank); host != hosts.end()) own.insert(host->second);
  }
  std::string text = fmt::format("rank{} {}", ranks.size() == 1 ? "" : "s", fmt::join(ranks, " "));
  if (all.size() > 1 && !own.empty()) text += fmt::format(" ({})", fmt::join(own, " "));
  return text;
}

/// Whether there are several hosts, and those of `ranks` have no other ranks.
bool are_whole_hosts(const std::vector<int>& ranks, const Hosts& hosts) {
  std::set<std::string> own, others;
  for (const auto& [rank, host] : hosts) (std::find(ranks.begin(), ranks.end(), rank) == ranks.end() ? others : own).insert(host);
  return !own.empty() && !others.empty() &&
         std::none_of(own.begin(), own.end(), [&](const std::string& host) { return others.contains(host); });
}

/// All wait for each other, and nobody is missing: what lies between them does not carry. Empty on one host.
std::string suspect_network(const Hosts& hosts) {
  std::map<std::string, std::vector<int>> ranks_on;
  for (const auto& [rank, host] : hosts) ranks_on[host].push_back(rank);
  if (ranks_on.size() < 2) return "";
  std::string text;
  for (const auto& [host, ranks] : ranks_on) text += (text.empty() ? "" : ", ") + ranks_text(ranks, hosts);
  return "\n  suspect   the network between " + text + ": all wait in the same collective";
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
  std::string behind_at;
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  for (int rank = 0; rank < ranks; ++rank) {
    if (std::find(written.begin(), written.end(), rank) == written.end()) {
      missing.push_back(rank);
      continue;
    }
    const LastCollective last = read_last(record_of(run_dir, rank));
    ranks_at[last.text].push_back(rank);
    if (!last.host.empty()) hosts[rank] = last.host;
    if (last.number < lowest) {
      lowest = last.number;
      behind_at = last.text;
    }
  }
  if (ranks_at.empty()) return "";
  std::string text;
  if (!missing.empty()) {
    text += fmt::format("\n  suspect   {}: no flight record, so stopped, dead or cut off", ranks_text(missing, hosts));
  } else if (ranks_at.size() > 1) {
    const std::vector<int>& behind = ranks_at[behind_at];
    text += fmt::format("\n  suspect   {}: last in {}{}", ranks_text(behind, hosts), behind_at,
                        are_whole_hosts(behind, hosts) ? "; all ranks there, so perhaps the network" : "");
    ranks_at.erase(behind_at);
  } else {
    text += suspect_network(hosts);
  }
  for (const auto& [at, list] : ranks_at) text += fmt::format("\n  last      {}: {}", ranks_text(list, hosts), at);
  return text;
}

}  // namespace weft

#include "launcher/supervisor_hang.h"

#include <sys/stat.h>

#include <cstdint>
#include <fstream>
#include <limits>
#include <map>
#include <optional>
#include <sstream>

#include <fmt/format.h>

namespace weft {
namespace {

/// The last line of a flight record.
struct LastCollective {
  std::int64_t number = 0;
  std::string text;  // "all_gather #824 of dp, entered"
};

std::optional<LastCollective> read_last(const std::string& path, double since) {
  struct stat status = {};
  if (::stat(path.c_str(), &status) != 0 || static_cast<double>(status.st_mtim.tv_sec) + 1 < since) return std::nullopt;
  std::ifstream file(path);
  std::string last;
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with('#')) last = line;
  }
  LastCollective collective{.number = 0, .text = "no collective"};
  std::string group, operation, sequence, bytes, dtype, start, end;
  if (std::istringstream(last) >> collective.number >> group >> operation >> sequence >> bytes >> dtype >> start >> end) {
    collective.text = fmt::format("{} #{} of {}, {}", operation, sequence, group, end == "-" ? "entered" : "done");
  }
  return collective;
}

/// "rank 3", "ranks 0 1 2".
std::string ranks_text(const std::string& ranks) {
  return (ranks.find(' ') == std::string::npos ? "rank " : "ranks ") + ranks;
}

void append(std::string& list, int rank) {
  if (!list.empty()) list += ' ';
  list += std::to_string(rank);
}

}  // namespace

std::string describe_hang(const std::string& run_dir, int ranks, double since) {
  std::map<std::string, std::string> ranks_at;  // by what is their last collective
  std::string missing, behind_at;
  std::int64_t lowest = std::numeric_limits<std::int64_t>::max();
  for (int rank = 0; rank < ranks; ++rank) {
    const auto last = read_last(fmt::format("{}/flight/rank-{}.txt", run_dir, rank), since);
    if (!last) {
      append(missing, rank);
      continue;
    }
    append(ranks_at[last->text], rank);
    if (last->number < lowest) {
      lowest = last->number;
      behind_at = last->text;
    }
  }
  if (ranks_at.empty()) return "";
  std::string text;
  if (!missing.empty()) {
    text += fmt::format("\n  suspect   {}: no flight record, so stopped, dead or cut off", ranks_text(missing));
  } else if (ranks_at.size() > 1) {
    text += fmt::format("\n  suspect   {}: last in {}", ranks_text(ranks_at[behind_at]), behind_at);
    ranks_at.erase(behind_at);
  }
  for (const auto& [at, list] : ranks_at) text += fmt::format("\n  last      {}: {}", ranks_text(list), at);
  return text;
}

}  // namespace weft

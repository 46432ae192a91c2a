#include "training/available_memory.h"

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <limits>
#include <sstream>

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

/// A number in a file of the kernel; "max" or no such file: no limit.
std::int64_t limit_in(const fs::path& path) {
  std::ifstream file(path);
  std::int64_t value = 0;
  return file >> value ? value : kNoLimit;
}

/// Of a group and of all above it. In a container the path may be that of the host, of which only the last group is mounted, as the root.
std::int64_t limit_along(const fs::path& mount, const std::string& group, const char* file) {
  std::int64_t least = limit_in(mount / file);
  if (group.find("..") != std::string::npos) return least;  // outside of what this process may see
  for (fs::path at = fs::path(group).relative_path(); !at.empty(); at = at.parent_path()) {
    least = std::min(least, limit_in(mount / at / file));
  }
  return least;
}

}  // namespace

std::int64_t control_group_limit(const std::string& root) {
  const fs::path mounts = root + "/sys/fs/cgroup";
  constexpr const char *kFile = "memory.max", *kFirstVersionFile = "memory.limit_in_bytes";
  std::int64_t least = std::min(limit_in(mounts / kFile), limit_in(mounts / "memory" / kFirstVersionFile));
  std::ifstream groups(root + "/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {  // number:controllers:path; of version 2 no controllers
    std::istringstream fields(line);
    std::string number, controllers, group;
    std::getline(fields, number, ':');
    std::getline(fields, controllers, ':');
    std::getline(fields, group);
    if (controllers.empty()) {
      least = std::min(least, limit_along(mounts, group, kFile));
    } else if (("," + controllers + ",").find(",memory,") != std::string::npos) {
      least = std::min(least, limit_along(mounts / "memory", group, kFirstVersionFile));
    }
  }
  return least;
}

std::int64_t resident_memory() {
  std::ifstream file("/proc/self/statm");
  std::int64_t program = 0, resident = 0;
  return file >> program >> resident ? resident * sysconf(_SC_PAGESIZE) : 0;
}

std::int64_t available_host_memory() {
  const std::int64_t host = static_cast<std::int64_t>(sysconf(_SC_PHYS_PAGES)) * sysconf(_SC_PAGESIZE);
  return std::min(host, control_group_limit());
}

}  // namespace weft

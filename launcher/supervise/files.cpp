#include "launcher/supervise/files.h"

#include <sys/stat.h>

#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <system_error>

#include <fmt/format.h>

namespace weft {
namespace {

namespace fs = std::filesystem;

/// Ours and made since the start; a link is neither.
bool belongs(const std::string& path, const MpirunFiles& job, mode_t kind) {
  struct stat status = {};
  if (::lstat(path.c_str(), &status) != 0) return false;
  const double changed = static_cast<double>(status.st_ctim.tv_sec) + 1e-9 * static_cast<double>(status.st_ctim.tv_nsec);
  return (status.st_mode & S_IFMT) == kind && status.st_uid == job.uid && changed >= job.started;
}

/// The first 16 bits of the job numbers that this mpirun gave, from "629276672.0;tcp://...": the number of mpirun itself.
std::optional<std::uint32_t> job_family(const std::string& contact_file) {
  std::ifstream file(contact_file);
  std::uint32_t number = 0;
  if (!(file >> number) || file.peek() != '.') return std::nullopt;
  return number >> 16;
}

}  // namespace

std::vector<std::string> remove_leftovers_of(const MpirunFiles& job) {
  std::vector<std::string> removed;
  const std::string name = fmt::format("{}.{}", job.host.substr(0, job.host.find('.')), job.uid);
  const std::string session = fmt::format("{}/ompi.{}/pid.{}", job.tmp_folder, name, job.mpirun);
  if (!belongs(session, job, S_IFDIR)) return removed;
  std::error_code error;
  if (const auto family = job_family(session + "/contact.txt")) {
    const std::string segment = fmt::format("vader_segment.{}.{:x}", name, *family);
    for (fs::directory_iterator it(job.shm_folder, error), end; !error && it != end; it.increment(error)) {
      // After the family come the four digits of the job: 25820001.0 is rank 0 of job 1 of family 2582.
      const std::string file = it->path().filename().string();
      if (!file.starts_with(segment) || file.find('.', segment.size()) != segment.size() + 4) continue;
      if (belongs(it->path().string(), job, S_IFREG) && fs::remove(it->path(), error)) removed.push_back(it->path().string());
    }
  }
  if (fs::remove_all(session, error) > 0 && !error) removed.push_back(session);
  return removed;
}

void write_mpirun_record(const std::string& path, const MpirunFiles& job) {
  std::ofstream(path, std::ios::trunc) << fmt::format("{} {} {:.3f}\n{}\n", job.host, job.mpirun, job.started, job.tmp_folder);
}

std::optional<MpirunFiles> read_mpirun_record(const std::string& path, const MpirunFiles& here) {
  MpirunFiles job = here;
  std::ifstream file(path);
  if (!(file >> job.host >> job.mpirun >> job.started >> std::ws) || !std::getline(file, job.tmp_folder)) return std::nullopt;
  if (job.host != here.host || job.mpirun <= 0) return std::nullopt;
  // A process that has ended has no program, though its parent may not have asked for its exit code yet.
  std::error_code error;
  const bool runs = !fs::read_symlink(fmt::format("/proc/{}/exe", job.mpirun), error).empty();
  return runs ? std::nullopt : std::optional(job);
}

}  // namespace weft

#include "launcher/supervise/command.h"

#include <sched.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string_view>
#include <system_error>

#include <fmt/format.h>

#include "launcher/input/problem.h"
#include "launcher/ranks/environment.h"
#include "runtime/error.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

int usable_cores() {
  cpu_set_t set;
  if (sched_getaffinity(0, sizeof set, &set) != 0) return static_cast<int>(std::max(1L, sysconf(_SC_NPROCESSORS_ONLN)));
  return std::max(1, CPU_COUNT(&set));
}

std::string find_mpirun(const std::map<std::string, std::string>& environment) {
  const auto path = environment.find("PATH");
  std::istringstream folders(path == environment.end() ? "/usr/local/bin:/usr/bin:/bin" : path->second);
  for (std::string folder; std::getline(folders, folder, ':');) {
    std::string file = (folder.empty() ? "." : folder) + "/mpirun";
    if (std::error_code error; fs::is_regular_file(file, error) && ::access(file.c_str(), X_OK) == 0) return file;
  }
  fail_input(problem_text({.what = "launch: no mpirun in PATH", .expected = "Open MPI 4.1 or later (Debian: apt install openmpi-bin)"}));
}

/// slots=4 of a line of a hostfile; 0 when it is not said.
int slots_of(const std::string& line) {
  constexpr std::string_view kSlots = "slots=";
  std::istringstream words(line);
  for (std::string word; words >> word;) {
    if (word.starts_with(kSlots)) return std::atoi(word.c_str() + kSlots.size());
  }
  return 0;
}

int ranks_of_a_host(const LaunchRequest& request) {
  if (request.hostfile.empty()) return request.ranks;
  const HostSlots slots = read_hostfile(request.hostfile);
  if (slots.total > 0 && request.ranks > slots.total) {
    fail_input(problem_text({.what = fmt::format("launch: {} ranks do not fit {}", request.ranks, request.hostfile),
                             .found = fmt::format("{} slots", slots.total),
                             .expected = fmt::format("slots=K after the hosts, {} in all, or a smaller -n", request.ranks)}));
  }
  return slots.largest > 0 ? std::min(slots.largest, request.ranks) : request.ranks;
}

void set_threads(std::map<std::string, std::string>& environment, int ranks, int cores) {
  environment.emplace("OMP_NUM_THREADS", std::to_string(std::max(1, cores / ranks)));
  const int threads = std::max(1, std::atoi(environment.at("OMP_NUM_THREADS").c_str()));
  if (ranks > cores / threads) environment.emplace("OMP_WAIT_POLICY", "passive");  // spinning threads would take the cores of working ones
}

/// By itself ssh waits minutes for a host that is off, and asks at the terminal for a password or about an unknown host.
void set_ssh(std::map<std::string, std::string>& environment) {
  if (environment.contains("OMPI_MCA_plm_rsh_agent")) return;
  environment.emplace("OMPI_MCA_plm_rsh_args", "-o BatchMode=yes -o ConnectTimeout=10");
}

}  // namespace

LaunchHost this_host() {
  LaunchHost host{.program = {}, .cores = usable_cores(), .root = geteuid() == 0, .environment = {}};
  std::error_code error;
  host.program = fs::read_symlink("/proc/self/exe", error).string();
  if (error) throw Error(ExitCode::kInternal, "launch: /proc/self/exe cannot be read: " + error.message());
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) host.environment.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  if (::isatty(STDERR_FILENO) == 1) host.environment[kTerminalVariable] = "1";  // a rank under mpirun cannot see it
  return host;
}

HostSlots read_hostfile(const std::string& path) {
  std::ifstream file(path);
  if (!file || fs::is_directory(path)) {
    fail_input(problem_text({.what = "launch: the hostfile cannot be read", .found = path, .expected = "lines of: HOST slots=K"}));
  }
  HostSlots slots;
  bool all_say = true;
  for (std::string line; std::getline(file, line);) {
    line = line.substr(0, line.find('#'));
    if (line.find_first_not_of(" \t\r") == std::string::npos) continue;
    std::istringstream(line) >> slots.hosts.emplace_back();
    const int here = slots_of(line);
    all_say = all_say && here > 0;
    slots.total += here;
    slots.largest = std::max(slots.largest, here);
  }
  if (slots.hosts.empty())
    fail_input(problem_text({.what = "launch: the hostfile names no host", .found = path, .expected = "lines of: HOST slots=K"}));
  if (!all_say) slots.total = slots.largest = 0;
  return slots;
}

JobCommand make_job_command(const LaunchRequest& request, const LaunchHost& host) {
  JobCommand job{.arguments = {}, .environment = host.environment};
  set_threads(job.environment, ranks_of_a_host(request), host.cores);
  if (request.ranks > 1) {
    job.arguments = {find_mpirun(host.environment), "-n", std::to_string(request.ranks), "--bind-to", "none"};
    // The supervisor turns SIGTERM into SIGUSR1, so no rank needs the second that mpirun waits between SIGTERM and SIGKILL.
    job.arguments.insert(job.arguments.end(), {"--mca", "odls_base_sigkill_timeout", "0"});
    if (request.hostfile.empty()) {
      job.arguments.push_back("--oversubscribe");  // mpirun counts whole cores as slots and would refuse the second thread of each
    } else {
      set_ssh(job.environment);
      job.arguments.insert(job.arguments.end(), {"--hostfile", request.hostfile, "-x", "OMP_NUM_THREADS"});
      if (job.environment.contains("OMP_WAIT_POLICY")) job.arguments.insert(job.arguments.end(), {"-x", "OMP_WAIT_POLICY"});
    }
    if (host.root) {
      job.environment["OMPI_ALLOW_RUN_AS_ROOT"] = "1";
      job.environment["OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"] = "1";
    }
  }
  job.arguments.push_back(host.program);
  job.arguments.insert(job.arguments.end(), request.weft_arguments.begin(), request.weft_arguments.end());
  return job;
}

}  // namespace weft

#include "launcher/supervise/process.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <system_error>
#include <thread>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> all;
  for (std::string& text : texts) all.push_back(text.data());
  all.push_back(nullptr);
  return all;
}

/// In the child: only calls that are safe between fork and exec.
[[noreturn]] void become(char* const* arguments, char* const* environment, pid_t supervisor) {
  setpgid(0, 0);
  prctl(PR_SET_PDEATHSIG, SIGTERM);
  if (getppid() != supervisor) _exit(128 + SIGTERM);  // it died before the line above
  sigset_t none;
  sigemptyset(&none);
  sigprocmask(SIG_SETMASK, &none, nullptr);
  const int nothing = open("/dev/null", O_RDONLY);  // a job in the background that reads the terminal would be stopped
  if (nothing >= 0) dup2(nothing, STDIN_FILENO);
  execve(arguments[0], arguments, environment);
  const char* text = strerror(errno);
  for (const char* part : {"weft: launch: ", static_cast<const char*>(arguments[0]), ": ", text, "\n"}) {
    const ssize_t written = write(STDERR_FILENO, part, strlen(part));
    static_cast<void>(written);
  }
  _exit(static_cast<int>(ExitCode::kBadInput));
}

std::optional<FileId> file_id(const std::string& path) {
  struct stat status = {};
  if (stat(path.c_str(), &status) != 0) return std::nullopt;
  return FileId{.device = status.st_dev, .number = status.st_ino};
}

/// The parent in the text of /proc/PID/stat: "pid (name) state parent ...", where the name may hold anything. -1 of what has ended.
pid_t parent_in(const std::string& stat) {
  const std::size_t end = stat.rfind(')');
  if (end == std::string::npos) return -1;
  std::istringstream rest(stat.substr(end + 1));
  char state = 0;
  pid_t parent = -1;
  rest >> state >> parent;
  return state == 'Z' ? -1 : parent;
}

}  // namespace

std::vector<pid_t> children_of(pid_t parent) {
  std::vector<pid_t> children;
  std::error_code error;
  for (fs::directory_iterator it("/proc", error), end; !error && it != end; it.increment(error)) {
    const std::string name = it->path().filename().string();
    pid_t pid = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), pid).ptr != name.data() + name.size()) continue;
    std::ifstream file(it->path() / "stat");
    std::string stat;
    if (std::getline(file, stat) && parent_in(stat) == parent) children.push_back(pid);
  }
  return children;
}

JobProcess::JobProcess(const JobCommand& command, const std::string& program)
    : program_(file_id(program)), is_rank_(command.arguments.front() == program) {
  std::vector<std::string> arguments = command.arguments, environment;
  for (const auto& [name, value] : command.environment) environment.push_back(fmt::format("{}={}", name, value));
  const std::vector<char*> argument_pointers = pointers(arguments), environment_pointers = pointers(environment);
  prctl(PR_SET_CHILD_SUBREAPER, 1);
  signal(SIGCHLD, SIG_DFL);  // ignored, it would take the exit codes away, also from mpirun
  const pid_t supervisor = getpid();
  pid_ = fork();
  if (pid_ == 0) become(argument_pointers.data(), environment_pointers.data(), supervisor);
  if (pid_ < 0) throw Error(ExitCode::kInternal, fmt::format("launch: no new process: {}", strerror(errno)));
  setpgid(pid_, pid_);  // here too: whoever comes first
}

std::optional<int> JobProcess::poll() {
  reap();
  return code_;
}

/// Takes the exit codes of all that has ended; false when no child is left.
bool JobProcess::reap() {
  int status = 0;
  pid_t ended = 0;
  while ((ended = waitpid(-1, &status, WNOHANG)) > 0) {
    if (ended != pid_) continue;
    killed_ = WIFSIGNALED(status);
    code_ = killed_ ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
  }
  return ended == 0;
}

void JobProcess::send(int signal) const {
  if (!code_) kill(pid_, signal);
}

int JobProcess::count_ranks() {
  if (is_rank_) return code_ ? 0 : 1;
  const std::vector<pid_t> children = children_of(pid_);
  std::erase_if(ranks_, [&](pid_t rank) { return std::ranges::find(children, rank) == children.end(); });
  // A rank stays one: its file is not asked for again, on a server that may fail meanwhile.
  for (const pid_t child : children) {
    if (!ranks_.contains(child) && program_ && file_id(fmt::format("/proc/{}/exe", child)) == program_) ranks_.insert(child);
  }
  return static_cast<int>(ranks_.size());
}

void JobProcess::kill_all() {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (reap() && std::chrono::steady_clock::now() < deadline) {
    if (!code_) kill(-pid_, SIGKILL);
    for (const pid_t child : children_of(getpid())) kill(child, SIGKILL);
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

}  // namespace weft

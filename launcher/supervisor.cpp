#include "launcher/supervisor.h"

#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <ctime>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "launcher/supervisor_files.h"
#include "launcher/supervisor_hang.h"
#include "launcher/supervisor_policy.h"
#include "launcher/supervisor_process.h"
#include "runtime/exit_code.h"
#include "state/run_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kReturnSeconds = 10;  // once a rank has ended, the others and mpirun are given so long
constexpr double kHostSeconds = 20;    // a host that could be reached before is given so long
constexpr double kLookSeconds = 0.5, kSpaceSeconds = 30;
constexpr double kRecordSeconds = 0.02;  // until it is written what a kill -9 would leave behind
constexpr std::uintmax_t kSpaceMargin = std::uintmax_t{64} << 20;

double seconds_now() {
  return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
}

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

/// Signals are taken in turn by one loop, so there is no handler and no race between a signal and a wait.
class Signals {
 public:
  Signals() {
    sigemptyset(&set_);
    for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGCHLD}) sigaddset(&set_, number);
    sigprocmask(SIG_BLOCK, &set_, &before_);
  }
  ~Signals() { sigprocmask(SIG_SETMASK, &before_, nullptr); }
  Signals(const Signals&) = delete;
  Signals& operator=(const Signals&) = delete;

  /// Waits for a signal for at most `seconds`; counts requests to stop.
  void wait(double seconds) {
    const double whole = std::floor(std::max(seconds, 0.0));
    const timespec limit{.tv_sec = static_cast<time_t>(whole), .tv_nsec = static_cast<long>((std::max(seconds, 0.0) - whole) * 1e9)};
    const int number = sigtimedwait(&set_, nullptr, &limit);
    if (number > 0 && number != SIGCHLD) stops_ += 1;
  }
  int stops() const { return stops_; }

 private:
  sigset_t set_, before_;
  int stops_ = 0;
};

class Supervisor {
 public:
  Supervisor(const SupervisedJob& job, Storage& storage, Log& log)
      : job_(job), storage_(storage), log_(log), policy_(job.max_relaunches, newest_step()) {}

  int run() {
    if (const auto before = read_mpirun_record(record_, files_of(0, 0))) clean(*before);
    for (;;) {
      const double began = seconds_now();
      const int code = run_once();
      if (signals_.stops() > 0) return stopped(code);
      const RelaunchPolicy::Decision decision =
          policy_.decide(code, newest_step(), seconds_now(), job_.hosts.empty() || ran_ ? 0 : kHostSeconds);
      if (decision.relaunch && job_.ranks > 1 && !job_.hosts.empty() && !ever_ran_) return never_ran(code);
      if (decision.relaunch || !decision.reason.empty()) {
        const bool hang = code == static_cast<int>(ExitCode::kHang);
        log_.warn("launch",
                  fmt::format("{} after {:.0f} s, {}; {}{}", describe_end(code), seconds_now() - began, describe_newest(),
                              decision.relaunch ? decision.reason : "not started again: " + decision.reason, hang ? describe_hang() : ""));
      }
      if (!decision.relaunch) return code;
      if (code == static_cast<int>(ExitCode::kStorage)) wait_for_space();
      wait_until(seconds_now() + decision.delay_seconds);
      if (signals_.stops() > 0) return stopped(static_cast<int>(ExitCode::kStopped));
    }
  }

 private:
  std::int64_t newest_step() const {
    const std::vector<std::int64_t> steps = list_steps(storage_, job_.run_dir);
    return steps.empty() ? -1 : steps.front();
  }
  std::string describe_newest() const {
    const std::int64_t step = newest_step();
    return step < 0 ? "no step is committed" : fmt::format("step {} is committed", step);
  }

  /// Of the last start: a code above 128 is the signal of a rank, unless mpirun itself died.
  std::string describe_end(int code) const { return (mpirun_killed_ ? "mpirun itself was " : "") + describe_exit(code); }

  /// One request that kills comes before the program listens: it had nothing to save beyond what is committed.
  int stopped(int code) const { return code == 128 + SIGUSR1 && signals_.stops() == 1 ? static_cast<int>(ExitCode::kStopped) : code; }

  int never_ran(int code) const {
    log_.warn("launch", fmt::format("{}: no rank has run, so not started again\n  hosts     {}\n  expected  each runs a command by ssh "
                                    "without a password, reaches the others, and has {}; what mpirun said stands above",
                                    describe_end(code), fmt::join(job_.hosts, " "), job_.program));
    return code;
  }

  void wait_until(double end) {
    while (seconds_now() < end && signals_.stops() == 0) signals_.wait(end - seconds_now());
  }

  /// Of the last start: empty when no rank has left a record.
  std::string describe_hang() const { return weft::describe_hang(job_.run_dir, job_.ranks, flights_before_); }

  int run_once() {
    const double started = seconds_since_1970();
    const LockTime lock_before = lock_time();
    flights_before_ = flight_times(job_.run_dir, job_.ranks);
    JobProcess process(job_.command);
    int code = watch(process, lock_before, started);
    process.kill_all();
    mpirun_killed_ = job_.ranks > 1 && process.killed();
    // An mpirun that was killed, since it cannot end the ranks of a host that is cut off, has no code that says why.
    if (code == 128 + SIGKILL && !describe_hang().empty()) {
      code = static_cast<int>(ExitCode::kHang);
      mpirun_killed_ = false;
    }
    ran_ = lock_time() != lock_before;
    ever_ran_ = ever_ran_ || ran_;
    if (job_.ranks > 1) {
      clean(files_of(process.pid(), started));
      std::error_code error;
      fs::remove(record_, error);
    }
    return code;
  }

  /// Rank 0 writes the lock file of the run when all ranks listen to signals, on whatever host it is.
  using LockTime = std::optional<fs::file_time_type>;
  LockTime lock_time() const {
    std::error_code error;
    const fs::file_time_type time = fs::last_write_time(job_.run_dir + "/.lock", error);
    return error ? LockTime() : LockTime(time);
  }

  int watch(JobProcess& process, LockTime lock_before, double started) {
    double kill_at = kNever, rank_gone_at = kNever;
    int ranks_seen = 0;  // at once, on this host
    bool recorded = job_.ranks == 1;
    int stops_sent = 0;
    for (;;) {
      if (!recorded && fs::exists(job_.run_dir)) {  // rank 0 makes it
        write_mpirun_record(record_, files_of(process.pid(), started));
        recorded = true;
      }
      signals_.wait(std::min(recorded ? kLookSeconds : kRecordSeconds, kill_at - seconds_now()));
      if (const auto code = process.poll()) return *code;
      const double now = seconds_now();
      const int ranks_run = process.count_running(job_.program);
      ranks_seen = std::max(ranks_seen, ranks_run);
      rank_gone_at = ranks_run < ranks_seen ? std::min(rank_gone_at, now) : kNever;
      if (signals_.stops() > stops_sent && ranks_seen == 0 && lock_time() == lock_before) {
        log_.info("launch", "stop: no rank runs yet");
        process.kill_all();
        return static_cast<int>(ExitCode::kStopped);
      }
      if (signals_.stops() > stops_sent) {
        process.send(SIGUSR1);
        stops_sent += 1;
        log_.info("launch", stops_sent == 1 ? "stop: asked the ranks to save and end" : "stop: asked again, ends at once");
        kill_at = now + (stops_sent == 1 ? job_.stop_grace_seconds + kReturnSeconds : kReturnSeconds);
      }
      if (now < std::min(kill_at, rank_gone_at + kReturnSeconds)) continue;
      log_.warn("launch", fmt::format("process {} does not return, {} of {} ranks on this host still run: killed with all it started",
                                      process.pid(), ranks_run, ranks_seen));
      process.kill_all();
    }
  }

  MpirunFiles files_of(pid_t mpirun, double started) const {
    std::array<char, 256> host = {};
    gethostname(host.data(), host.size() - 1);
    const auto tmp = job_.command.environment.find("TMPDIR");
    MpirunFiles files;
    if (tmp != job_.command.environment.end()) files.tmp_folder = tmp->second;
    files.host = host.data();
    files.uid = geteuid();
    files.mpirun = mpirun;
    files.started = started;
    return files;
  }

  void clean(const MpirunFiles& files) {
    for (const std::string& path : remove_leftovers_of(files)) log_.info("launch", path + ": left by the last start, removed");
  }

  /// Bytes of the newest checkpoint; 0 when there is none.
  std::uintmax_t checkpoint_bytes() const {
    std::uintmax_t bytes = 0;
    std::error_code error;
    for (fs::directory_iterator it(job_.run_dir + "/" + step_folder(newest_step()), error), end; !error && it != end; it.increment(error)) {
      const std::uintmax_t size = it->file_size(error);
      if (!error) bytes += size;
    }
    return bytes;
  }

  void wait_for_space() {
    const std::uintmax_t needed = checkpoint_bytes() + kSpaceMargin;
    for (bool said = false; signals_.stops() == 0; said = true) {
      std::error_code error;
      const fs::space_info space = fs::space(job_.run_dir, error);
      if (error || space.available >= needed) return;
      if (!said) {
        log_.warn("launch",
                  fmt::format("{}: waiting for {} MB of space, {} MB are free", job_.run_dir, needed >> 20, space.available >> 20));
      }
      wait_until(seconds_now() + kSpaceSeconds);
    }
  }

  const SupervisedJob& job_;
  Storage& storage_;
  Log& log_;
  Signals signals_;
  RelaunchPolicy policy_;
  const std::string record_ = job_.run_dir + "/.mpirun";  // while one runs
  FlightTimes flights_before_;                            // before the last start
  bool ran_ = false, ever_ran_ = false;                   // the last start had ranks, one of them had
  bool mpirun_killed_ = false;                            // at the last start
};

}  // namespace

int supervise(const SupervisedJob& job, Storage& storage, Log& log) {
  return Supervisor(job, storage, log).run();
}

}  // namespace weft

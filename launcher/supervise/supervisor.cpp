#include "launcher/supervise/supervisor.h"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <csignal>
#include <filesystem>
#include <limits>
#include <optional>
#include <system_error>

#include <fmt/format.h>

#include "launcher/ranks/watchdog.h"
#include "launcher/supervise/files.h"
#include "launcher/supervise/hang.h"
#include "launcher/supervise/policy.h"
#include "launcher/supervise/process.h"
#include "launcher/supervise/space.h"
#include "launcher/supervise/stop_requests.h"
#include "runtime/exit_code.h"
#include "runtime/host_name.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

constexpr int kHang = static_cast<int>(ExitCode::kHang);
constexpr double kNever = std::numeric_limits<double>::infinity();
constexpr double kReturnSeconds = 10;  // once a rank has ended, the others and mpirun are given so long
constexpr double kHostSeconds = 20;    // a host that could be reached before is given so long
constexpr double kLookSeconds = 0.5, kSpaceSeconds = 30;
constexpr double kRecordSeconds = 0.02;  // until it is written what a kill -9 would leave behind
constexpr std::uintmax_t kSpaceMargin = std::uintmax_t{64} << 20;

double seconds_since_1970() {
  return std::chrono::duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
}

class Supervisor {
 public:
  Supervisor(const SupervisedJob& job, Storage& storage, Log& log)
      : job_(job), storage_(storage), log_(log), policy_(job.max_relaunches, newest_step()) {}

  int run() {
    if (const auto before = read_mpirun_record(record_, files_of(0, 0))) clean(*before);
    for (;;) {
      const double began = seconds_now();
      const int code = run_once();
      if (stops_.count() > 0) return stopped(code);
      const RelaunchPolicy::Decision decision =
          policy_.decide(code, newest_step(), seconds_now(), job_.hosts.empty() || begun_ ? 0 : kHostSeconds);
      if (decision.relaunch && job_.ranks > 1 && !job_.hosts.empty() && !ever_ran_ && !start_hung_ && code != kHang) return never_ran(code);
      if (decision.relaunch || !decision.reason.empty()) {
        log_.warn("launch", fmt::format("{} after {:.0f} s, {}; {}{}", describe_end(code), seconds_now() - began, describe_newest(),
                                        decision.relaunch ? decision.reason : "not started again: " + decision.reason,
                                        code == kHang ? describe_hang() : ""));
      }
      if (!decision.relaunch) return code;
      if (code == static_cast<int>(ExitCode::kStorage)) wait_for_space();
      wait_until(seconds_now() + decision.delay_seconds);
      if (stops_.count() > 0) return stopped(static_cast<int>(ExitCode::kStopped));
    }
  }

 private:
  /// A file system that fails for a moment ends no job: then the step that was seen last counts.
  std::int64_t newest_step() {
    try {
      const std::vector<std::int64_t> steps = list_steps(storage_, job_.run_dir);
      newest_step_ = steps.empty() ? -1 : steps.front();
    } catch (const StorageError& error) {
      log_.warn("launch", fmt::format("{}: cannot list the checkpoints; the step seen last is assumed to be the newest", error.what()));
    }
    return newest_step_;
  }
  std::string describe_newest() {
    const std::int64_t step = newest_step();
    return step < 0 ? "no step is committed" : fmt::format("step {} is committed", step);
  }

  /// Of the last start: a code above 128 is the signal of a rank, unless mpirun itself died.
  std::string describe_end(int code) const { return (mpirun_killed_ ? "mpirun itself was " : "") + describe_exit(code); }

  /// A request that kills comes before the program listens: it had nothing to save beyond what is committed.
  int stopped(int code) const { return code == 128 + SIGUSR1 && stops_.count() == 1 ? static_cast<int>(ExitCode::kStopped) : code; }

  int never_ran(int code) const {
    log_.warn("launch", fmt::format("{}: no rank has run, so not started again\n  hosts     {}\n  expected  each runs a command by ssh "
                                    "without a password, reaches the others, and has {}; the output of mpirun is above",
                                    describe_end(code), fmt::join(job_.hosts, " "), job_.program));
    return code;
  }

  void wait_until(double end) {
    while (seconds_now() < end && stops_.count() == 0) stops_.wait(end - seconds_now());
  }

  /// Of the last start: empty when no rank has left a record.
  std::string describe_hang() const { return weft::describe_hang(job_.run_dir, job_.ranks, flights_before_); }

  int run_once() {
    const double started = seconds_since_1970();
    lock_before_ = lock_time();
    begun_ = start_hung_ = false;
    flights_before_ = flight_times(job_.run_dir, job_.ranks);
    JobProcess process(job_.command, job_.program);
    int code = watch(process, started);
    process.kill_all();
    mpirun_killed_ = job_.ranks > 1 && process.killed();
    // An mpirun that was killed, since it cannot end the ranks of a host that is cut off, has no code that says why.
    if (code == 128 + SIGKILL && !describe_hang().empty()) {
      code = kHang;
      mpirun_killed_ = false;
    }
    ever_ran_ = has_begun() || ever_ran_;
    if (job_.ranks > 1) {
      clean(files_of(process.pid(), started));
      std::error_code error;
      fs::remove(record_, error);
    }
    return code;
  }

  /// Whether a rank of this start, on whatever host, has ended itself after a hang.
  bool hang_recorded() const { return !records_since(job_.run_dir, job_.ranks, flights_before_).empty(); }

  /// Of the lock file of the run; kUnknown while the file system fails, kNoLock without a file.
  static constexpr fs::file_time_type kUnknown = fs::file_time_type::max(), kNoLock = fs::file_time_type::min();
  fs::file_time_type lock_time() const {
    std::error_code error;
    const fs::file_time_type time = fs::last_write_time(job_.run_dir + "/.lock", error);
    if (!error) return time;
    return error == std::errc::no_such_file_or_directory ? kNoLock : kUnknown;
  }
  /// Rank 0 writes the lock file when all ranks listen to signals, on whatever host it is. Whether it has, in this start; asked until it
  /// has, and never again. Yes while that cannot be known.
  bool has_begun() {
    if (begun_) return true;
    const fs::file_time_type time = lock_time();
    begun_ = time != kUnknown && time != lock_before_;
    return begun_ || time == kUnknown;
  }

  int watch(JobProcess& process, double started) {
    double kill_at = kNever, rank_gone_at = kNever;
    const double begin_by = seconds_now() + job_.start_seconds;
    int ranks_seen = 0;  // at once, on this host
    bool recorded = job_.ranks == 1;
    int stops_sent = 0;
    for (;;) {
      if (std::error_code error; !recorded && fs::exists(job_.run_dir, error)) {  // rank 0 makes it
        write_mpirun_record(record_, files_of(process.pid(), started));
        recorded = true;
      }
      stops_.wait(std::min(recorded ? kLookSeconds : kRecordSeconds, kill_at - seconds_now()));
      if (const auto code = process.poll()) return *code;
      const double now = seconds_now();
      const int ranks_run = process.count_ranks();
      ranks_seen = std::max(ranks_seen, ranks_run);
      const bool rank_gone = ranks_run < ranks_seen || (ranks_seen == 0 && hang_recorded());
      rank_gone_at = rank_gone ? std::min(rank_gone_at, now) : kNever;
      const bool begun = has_begun();
      if (!begun && now > begin_by) {
        start_hung_ = true;
        log_.warn("launch", fmt::format("no rank started within {:.0f} s: killed", job_.start_seconds));
        process.kill_all();
      }
      if (stops_.count() > stops_sent && ranks_seen == 0 && !begun) {
        log_.info("launch", "stop: no rank runs yet");
        process.kill_all();
        return static_cast<int>(ExitCode::kStopped);
      }
      if (stops_.count() > stops_sent) {
        process.send(SIGUSR1);
        stops_sent += 1;
        log_.info("launch", stops_sent == 1 ? "stop: asked the ranks to save and end" : "stop: asked again, ending at once");
        kill_at = now + (stops_sent == 1 ? job_.stop_grace_seconds + kReturnSeconds : kReturnSeconds);
      }
      if (now < std::min(kill_at, rank_gone_at + kReturnSeconds)) continue;
      log_.warn("launch", fmt::format("process {} does not end, {}: killed with all its children", process.pid(),
                                      ranks_seen == 0 ? "a rank elsewhere has ended after a hang"
                                                      : fmt::format("{} of {} ranks on this host still run", ranks_run, ranks_seen)));
      process.kill_all();
    }
  }

  MpirunFiles files_of(pid_t mpirun, double started) const {
    const auto tmp = job_.command.environment.find("TMPDIR");
    MpirunFiles files;
    if (tmp != job_.command.environment.end()) files.tmp_folder = tmp->second;
    files.host = host_name();
    files.uid = geteuid();
    files.mpirun = mpirun;
    files.started = started;
    return files;
  }

  void clean(const MpirunFiles& files) {
    for (const std::string& path : remove_leftovers_of(files)) log_.info("launch", path + ": left by the last start, removed");
  }

  void wait_for_space() {
    const std::uintmax_t needed = folder_bytes(job_.run_dir + "/" + step_folder(newest_step())) + kSpaceMargin;
    for (bool said = false; stops_.count() == 0; said = true) {
      const std::uintmax_t free = free_bytes(job_.run_dir);
      if (free >= needed) return;
      if (!said) {
        log_.warn("launch", fmt::format("{}: waiting for {} MB of space, {} MB are free", job_.run_dir, needed >> 20, free >> 20));
      }
      wait_until(seconds_now() + kSpaceSeconds);
    }
  }

  const SupervisedJob& job_;
  Storage& storage_;
  Log& log_;
  StopRequests stops_;
  std::int64_t newest_step_ = -1;  // as last seen
  RelaunchPolicy policy_;
  const std::string record_ = job_.run_dir + "/.mpirun";  // while one runs
  FlightTimes flights_before_;                            // before the last start
  fs::file_time_type lock_before_ = kNoLock;
  bool begun_ = false, ever_ran_ = false;  // the last start, or any, had ranks
  bool start_hung_ = false;                // the last start was killed before it had
  bool mpirun_killed_ = false;             // at the last start
};

}  // namespace

int supervise(const SupervisedJob& job, Storage& storage, Log& log) {
  return Supervisor(job, storage, log).run();
}

}  // namespace weft

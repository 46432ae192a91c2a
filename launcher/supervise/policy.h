#pragma once
#include <cstdint>
#include <deque>
#include <string>

namespace weft {

/// Decides whether a job that has ended is started again.
class RelaunchPolicy {
 public:
  /// `max_relaunches`: within any hour. `newest_step`: the newest committed one before the first start, -1 for none.
  RelaunchPolicy(int max_relaunches, std::int64_t newest_step) : max_relaunches_(max_relaunches), best_step_(newest_step) {}

  struct Decision {
    bool relaunch = false;
    double delay_seconds = 0;
    std::string reason;  // for the log: why it ends, or which relaunch this is
  };

  /// `code`: what the job exited with, 128 + the signal that killed it. Codes 0, 64, 75, 77 and 78 end: another start would do the same.
  /// All others are relaunched, after 0.1 s at first and twice as long each time without progress, up to 30 s: at most `max_relaunches`
  /// times within an hour, and no more than 3 times without a new committed step. Waits `least_delay_seconds` in any case.
  Decision decide(int code, std::int64_t newest_step, double now_seconds, double least_delay_seconds = 0);

 private:
  const int max_relaunches_;
  std::int64_t best_step_;
  int without_progress_ = 0;
  std::deque<double> relaunched_at_;
};

/// "no progress (exit code 76)", "killed by signal 9 (exit code 137)": for messages.
std::string describe_exit(int code);

}  // namespace weft

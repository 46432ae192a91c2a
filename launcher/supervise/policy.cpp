#include "launcher/supervise/policy.h"

#include <signal.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "runtime/exit_code.h"

namespace weft {
namespace {

constexpr int kMostWithoutProgress = 3;
constexpr double kFirstDelaySeconds = 0.1, kLongestDelaySeconds = 30, kHourSeconds = 3600;

constexpr std::pair<ExitCode, const char*> kExits[] = {{ExitCode::kDone, "done"},
                                                       {ExitCode::kBadInput, "wrong input"},
                                                       {ExitCode::kStopped, "stopped on request"},
                                                       {ExitCode::kHang, "no progress"},
                                                       {ExitCode::kNoCheckpoint, "no whole checkpoint"},
                                                       {ExitCode::kNumerics, "numbers not finite"},
                                                       {ExitCode::kStorage, "saves failed"}};

bool is_final(int code) {
  const auto is = [code](ExitCode known) { return code == static_cast<int>(known); };
  return is(ExitCode::kDone) || is(ExitCode::kBadInput) || is(ExitCode::kStopped) || is(ExitCode::kNoCheckpoint) || is(ExitCode::kNumerics);
}

}  // namespace

RelaunchPolicy::Decision RelaunchPolicy::decide(int code, std::int64_t newest_step, double now_seconds, double least_delay_seconds) {
  if (is_final(code)) return {.relaunch = false, .delay_seconds = 0, .reason = ""};
  if (newest_step > best_step_) without_progress_ = 0;
  best_step_ = std::max(best_step_, newest_step);
  while (!relaunched_at_.empty() && now_seconds - relaunched_at_.front() >= kHourSeconds) relaunched_at_.pop_front();
  if (without_progress_ == kMostWithoutProgress) {
    return {.relaunch = false, .delay_seconds = 0, .reason = fmt::format("{} relaunches brought no new step", kMostWithoutProgress)};
  }
  if (static_cast<int>(relaunched_at_.size()) >= max_relaunches_) {
    return {.relaunch = false, .delay_seconds = 0, .reason = fmt::format("{} relaunches within an hour are the limit", max_relaunches_)};
  }
  const double delay = std::max(std::min(kFirstDelaySeconds * std::exp2(without_progress_), kLongestDelaySeconds), least_delay_seconds);
  without_progress_ += 1;
  relaunched_at_.push_back(now_seconds);
  return {.relaunch = true,
          .delay_seconds = delay,
          .reason = fmt::format("relaunch {} of {} within an hour, in {:.1f} s", relaunched_at_.size(), max_relaunches_, delay)};
}

std::string describe_exit(int code) {
  for (const auto& [known, words] : kExits) {
    if (code == static_cast<int>(known)) return fmt::format("{} (exit code {})", words, code);
  }
  if (code > 128 && code <= 128 + SIGRTMAX) return fmt::format("killed by signal {} (exit code {})", code - 128, code);
  return fmt::format("exit code {}", code);
}

}  // namespace weft

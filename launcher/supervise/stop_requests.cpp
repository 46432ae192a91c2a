#include "launcher/supervise/stop_requests.h"

#include <algorithm>
#include <cmath>
#include <ctime>

#include "launcher/ranks/signals.h"

namespace weft {

StopRequests::StopRequests() {
  sigemptyset(&set_);
  for (const int number : kStopSignals) sigaddset(&set_, number);
  sigaddset(&set_, SIGCHLD);
  sigprocmask(SIG_BLOCK, &set_, &before_);
}

StopRequests::~StopRequests() {
  sigprocmask(SIG_SETMASK, &before_, nullptr);
}

void StopRequests::wait(double seconds) {
  seconds = std::max(seconds, 0.0);
  const double whole = std::floor(seconds);
  const timespec limit{.tv_sec = static_cast<time_t>(whole), .tv_nsec = static_cast<long>((seconds - whole) * 1e9)};
  const int number = sigtimedwait(&set_, nullptr, &limit);
  if (number > 0 && number != SIGCHLD) count_ += 1;
}

}  // namespace weft

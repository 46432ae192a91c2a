#pragma once
#include <signal.h>

namespace weft {

/// The stop signals and SIGCHLD are taken in turn by whoever waits, from here to the end of this object: there is no handler, and
/// no race between a signal and a wait. One per process, on its only thread.
class StopRequests {
 public:
  StopRequests();
  ~StopRequests();
  StopRequests(const StopRequests&) = delete;
  StopRequests& operator=(const StopRequests&) = delete;

  /// Waits for a signal for at most `seconds`; all but SIGCHLD are requests to stop.
  void wait(double seconds);
  int count() const { return count_; }

 private:
  sigset_t set_, before_;
  int count_ = 0;
};

}  // namespace weft

#pragma once
#include <signal.h>

#include <array>
#include <functional>
#include <thread>

namespace weft {

/// Each of them asks a run to stop. SIGHUP comes when a terminal is lost; where it is ignored from the start, as nohup does, it stays so.
inline constexpr std::array kStopSignals{SIGTERM, SIGINT, SIGUSR1, SIGHUP};

/// Stop signals end the process: at once with 75, since there is nothing to save yet; after defer_stops, with a checkpoint once the running
/// pass or group of lines is done, and a second one of any of them at once with 128 + its number.
void install_stop_signals();

/// From here on there is something to save, and the run asks stop_requested.
void defer_stops();

/// Whether a signal has asked. May be called from any thread.
bool stop_requested();

/// Calls `say` from a thread of its own as soon as a signal has asked: the main thread may be busy for a while. After
/// install_stop_signals; one per process.
class StopNotice {
 public:
  explicit StopNotice(std::function<void()> say);
  ~StopNotice();
  StopNotice(const StopNotice&) = delete;
  StopNotice& operator=(const StopNotice&) = delete;

 private:
  std::thread thread_;
};

}  // namespace weft

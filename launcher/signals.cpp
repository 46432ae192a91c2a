#include "launcher/signals.h"

#include <signal.h>
#include <unistd.h>

#include <atomic>

#include "runtime/exit_code.h"

namespace weft {
namespace {

// Globals, since a signal handler can reach nothing else.
std::atomic<bool> stop_flag{false}, deferred{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only use lock-free atomics");

void on_signal(int number) {
  if (!deferred) _exit(static_cast<int>(ExitCode::kStopped));
  if (stop_flag.exchange(true)) _exit(128 + number);
}

}  // namespace

void install_stop_signals() {
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1}) sigaction(number, &action, nullptr);
}

void defer_stops() {
  deferred = true;
}

bool stop_requested() {
  return stop_flag.load(std::memory_order_relaxed);
}

}  // namespace weft

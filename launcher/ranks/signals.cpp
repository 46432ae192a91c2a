#include "launcher/ranks/signals.h"

#include <semaphore.h>
#include <signal.h>
#include <unistd.h>

#include <atomic>
#include <utility>

#include "runtime/exit_code.h"

namespace weft {
namespace {

// Globals, since a signal handler can reach nothing else.
std::atomic<bool> stop_flag{false}, deferred{false};
static_assert(std::atomic<bool>::is_always_lock_free, "a signal handler may only use lock-free atomics");
sem_t asked;  // posted once when the flag goes up

void on_signal(int number) {
  if (!deferred) _exit(static_cast<int>(ExitCode::kStopped));
  if (stop_flag.exchange(true)) _exit(128 + number);
  sem_post(&asked);
}

}  // namespace

void install_stop_signals() {
  sem_init(&asked, 0, 0);
  struct sigaction action = {};
  action.sa_handler = on_signal;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  for (const int number : kStopSignals) {
    struct sigaction before = {};
    sigaction(number, nullptr, &before);
    const bool nohup = number == SIGHUP && before.sa_handler == SIG_IGN;
    if (!nohup) sigaction(number, &action, nullptr);
  }
}

void defer_stops() {
  deferred = true;
}

StopNotice::StopNotice(std::function<void()> say) {
  thread_ = std::thread([say = std::move(say)] {
    while (sem_wait(&asked) != 0) {
    }
    if (stop_requested()) say();
  });
}

StopNotice::~StopNotice() {
  sem_post(&asked);
  thread_.join();
}

bool stop_requested() {
  return stop_flag.load(std::memory_order_relaxed);
}

}  // namespace weft

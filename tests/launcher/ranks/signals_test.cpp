#include "launcher/ranks/signals.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>

#include <gtest/gtest.h>

#include "launcher/supervise/stop_requests.h"

namespace weft::test {
namespace {

enum class Begin { kPreparation, kTraining };

/// Runs `body` in a child process, since the stop flag is never taken back; returns what it exits with.
template <class Body>
int exit_code_of(Body&& body, Begin begin = Begin::kTraining) {
  const pid_t child = fork();
  if (child == 0) {
    install_stop_signals();
    if (begin == Begin::kTraining) defer_stops();
    body();
    _exit(stop_requested() ? 7 : 8);
  }
  int status = 0;
  waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

TEST(SignalsTest, TheFirstAsksToStop) {
  EXPECT_EQ(exit_code_of([] {}), 8);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) EXPECT_EQ(exit_code_of([=] { raise(number); }), 7);
}

TEST(SignalsTest, TheFirstEndsWhatHasNothingToSave) {
  EXPECT_EQ(exit_code_of([] {}, Begin::kPreparation), 8);
  for (const int number : {SIGTERM, SIGINT, SIGUSR1, SIGHUP}) EXPECT_EQ(exit_code_of([=] { raise(number); }, Begin::kPreparation), 75);
}

TEST(SignalsTest, TheSecondEndsTheProcess) {
  EXPECT_EQ(exit_code_of([] {
              raise(SIGUSR1);
              raise(SIGTERM);
            }),
            128 + SIGTERM);
}

TEST(SignalsTest, NohupStaysNohup) {
  signal(SIGHUP, SIG_IGN);
  EXPECT_EQ(exit_code_of([] { raise(SIGHUP); }), 8);
  signal(SIGHUP, SIG_DFL);
}

TEST(SignalsTest, AStopIsAcknowledgedWhileTheMainThreadIsBusy) {
  EXPECT_EQ(exit_code_of([] {
              std::atomic<bool> said = false;
              const StopNotice notice([&] { said = true; });
              usleep(10000);
              if (said) _exit(1);  // nobody has asked
              raise(SIGTERM);
              for (int i = 0; i < 2000 && !said; ++i) usleep(1000);
              if (!said) _exit(2);
            }),
            7);
  EXPECT_EQ(exit_code_of([] { const StopNotice notice([] { _exit(3); }); }), 8);
}

TEST(SignalsTest, TheSupervisorTakesEachOfThemForARequest) {
  StopRequests requests;
  int count = 0;
  for (const int number : kStopSignals) {
    raise(number);
    requests.wait(10);
    EXPECT_EQ(requests.count(), ++count) << number;
  }
}

}  // namespace
}  // namespace weft::test

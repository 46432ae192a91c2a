#include "launcher/ranks/watchdog.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/ranks/crash_handler.h"

namespace weft::test {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

Sighting at_step(std::int64_t step, std::int64_t pass = 1) {
  return {.step = step, .pass = pass, .phase = Phase::kStep};
}

/// Looks every second from `from` to `to` at the same place; returns the second in which it is called a hang, or -1.
int hang_second(HangDetector& detector, int from, int to, const Sighting& seen) {
  for (int second = from; second <= to; ++second) {
    if (detector.look(second, seen)) return second;
  }
  return -1;
}

TEST(HangDetectorTest, AnyChangeIsProgress) {
  HangDetector detector(10, 1);
  Sighting seen = at_step(1);
  for (int second = 0; second < 100; second += 4) {
    if (second % 3 == 0)
      ++seen.pass;
    else if (second % 3 == 1)
      ++seen.collective;
    else
      seen.phase = seen.phase == Phase::kStep ? Phase::kSave : Phase::kStep;
    EXPECT_EQ(detector.look(second, seen), std::nullopt) << second;
  }
}

TEST(HangDetectorTest, StandingStillBeyondTheLimitIsAHang) {
  HangDetector detector(10, 1);
  EXPECT_EQ(hang_second(detector, 0, 100, at_step(1)), 11);
}

TEST(HangDetectorTest, PhasesHaveTheirOwnLimits) {
  for (const auto& [phase, second] : {std::pair{Phase::kStart, 121}, {Phase::kValidation, 61}, {Phase::kSave, 31}, {Phase::kLoad, 61}}) {
    HangDetector detector(10, 1);
    EXPECT_EQ(hang_second(detector, 0, 1000, {.step = 3, .phase = phase}), second);
  }
}

TEST(HangDetectorTest, SlowStepsRaiseTheLimitOfStepsOnly) {
  HangDetector detector(10, 1);
  int second = 0;
  for (int step = 1; step <= 4; ++step) {
    for (int pass = 1; pass <= 2; ++pass) {
      for (int i = 0; i < 4; ++i) EXPECT_EQ(detector.look(second++, at_step(step, pass)), std::nullopt);
    }
  }
  EXPECT_EQ(detector.limit_seconds(Phase::kStep), 40);  // 5 times 8 s
  EXPECT_EQ(detector.limit_seconds(Phase::kSave), 30);
}

TEST(HangDetectorTest, AValidationBetweenTwoStepsIsNoSlowStep) {
  HangDetector detector(10, 1);
  int second = 0;
  for (int i = 0; i < 2; ++i) detector.look(second++, at_step(1));
  for (int i = 0; i < 50; ++i) detector.look(second++, {.step = 1, .phase = Phase::kValidation});
  for (int i = 0; i < 2; ++i) detector.look(second++, at_step(2));
  detector.look(second++, at_step(3));
  EXPECT_EQ(detector.limit_seconds(Phase::kStep), 10);
}

TEST(HangDetectorTest, TimeInWhichTheProcessWasStoppedDoesNotCount) {
  HangDetector detector(10, 1);
  EXPECT_EQ(detector.look(0, at_step(1)), std::nullopt);
  EXPECT_EQ(detector.look(5000, at_step(1)), std::nullopt);
  EXPECT_EQ(hang_second(detector, 5001, 6000, at_step(1)), 5007);  // 4 s counted for the pause
}

TEST(WatchdogTest, TheMessageNamesPlaceTimeAndWhatIsSafe) {
  std::array<char, 2048> buffer;
  HangReport report{.local_seconds = 1763823760,
                    .rank = 3,
                    .host = "node07",
                    .at = {.step = 15233, .pass = 2, .collective = 481092, .phase = Phase::kStep},
                    .seconds = 600.4,
                    .committed_step = 15000,
                    .waiting = "reduce_scatter #481092, entered and not left",
                    .record = "runs/ende/flight/rank-3.txt"};
  EXPECT_EQ(format_hang(report, buffer),
            "[2025-11-22 15:02:40] [rank 3 node07] fatal: no progress for 600 s at step 15233, pass 2, exit 76\n"
            "  phase     training\n"
            "  last      reduce_scatter #481092, entered and not left\n"
            "  record    runs/ende/flight/rank-3.txt\n"
            "  safe      step 15000 is committed\n"
            "  next      the same command goes on from there; weft launch does so by itself\n");
  const std::string long_name(5000, 'x');
  report.host = long_name;
  EXPECT_EQ(format_hang(report, buffer).size(), buffer.size());  // cut, not overrun
}

struct Ended {
  int status = 0;
  double seconds = 0;
  std::string text;  // stderr
};

/// Runs `body` in a child process; kills it after 20 seconds.
template <class Body>
Ended run_child(Body&& body) {
  int ends[2];
  EXPECT_EQ(pipe(ends), 0);
  const auto began = std::chrono::steady_clock::now();
  const pid_t child = fork();
  if (child == 0) {
    alarm(20);
    const rlimit no_core{0, 0};
    setrlimit(RLIMIT_CORE, &no_core);
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]);
    close(ends[1]);
    body();
    _exit(0);
  }
  close(ends[1]);
  Ended ended;
  char buffer[4096];
  for (ssize_t n = 0; (n = read(ends[0], buffer, sizeof buffer)) > 0;) ended.text.append(buffer, static_cast<std::size_t>(n));
  close(ends[0]);
  waitpid(child, &ended.status, 0);
  ended.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - began).count();
  return ended;
}

Watchdog::Options options(double hang_timeout_seconds, const std::string& run_dir) {
  return {.hang_timeout_seconds = hang_timeout_seconds,
          .rank = 1,
          .host = "node",
          .run_dir = run_dir,
          .last_collective = {},
          .write_record = {}};
}

[[noreturn]] void hang() {
  for (;;) pause();
}

TEST(WatchdogTest, AHangingProcessEndsWith76AndLeavesItsRecord) {
  const fs::path run_dir = fs::path(testing::TempDir()) / "weft_watchdog";
  fs::remove_all(run_dir);
  fs::create_directories(run_dir);
  const Ended ended = run_child([&] {
    Progress progress;
    progress.step = 7;
    progress.pass = 2;
    progress.committed = 5;
    progress.phase = Phase::kStep;
    Watchdog::Options with_record = options(0.5, run_dir.string());
    with_record.write_record = [](const std::string& path) { std::ofstream(path) << "collectives\n"; };
    const Watchdog watchdog(progress, with_record);
    hang();
  });
  ASSERT_TRUE(WIFEXITED(ended.status)) << ended.text;  // not by the alarm of run_child
  EXPECT_EQ(WEXITSTATUS(ended.status), 76);
  EXPECT_GE(ended.seconds, 0.5);
  EXPECT_THAT(ended.text, HasSubstr("[rank 1 node] fatal: no progress for"));
  EXPECT_THAT(ended.text, HasSubstr("at step 7, pass 2, exit 76\n"));
  EXPECT_THAT(ended.text, HasSubstr("step 5 is committed"));
  std::ifstream record(run_dir / "flight" / "rank-1.txt");
  std::string line;
  EXPECT_TRUE(std::getline(record, line));
  fs::remove_all(run_dir);
}

TEST(WatchdogTest, ARecordThatHangsTooDoesNotKeepTheProcess) {
  const Ended ended = run_child([] {
    Progress progress;
    progress.phase = Phase::kStep;
    Watchdog::Options with_record = options(0.2, testing::TempDir());
    with_record.write_record = [](const std::string&) { hang(); };
    const Watchdog watchdog(progress, with_record);
    hang();
  });
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 76);
  EXPECT_THAT(ended.text, HasSubstr("[rank 1 node] fatal: no progress at step 0, exit 76; its flight record could not be written"));
}

TEST(WatchdogTest, ARecordThatCannotBeWrittenIsSaid) {
  const Ended ended = run_child([] {
    Progress progress;
    progress.phase = Phase::kStep;
    Watchdog::Options with_record = options(0.2, testing::TempDir());
    with_record.last_collective = [] { return std::string("all_reduce #17, dp, entered and not left"); };
    with_record.write_record = [](const std::string& path) { throw std::runtime_error(path + ": no space"); };
    const Watchdog watchdog(progress, with_record);
    hang();
  });
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 76);
  EXPECT_THAT(ended.text, HasSubstr("last      all_reduce #17, dp, entered and not left\n"));
  EXPECT_THAT(ended.text, HasSubstr("flight/rank-1.txt: no space\n"));
}

TEST(WatchdogTest, AProcessThatWorksIsLeftAlone) {
  const Ended ended = run_child([] {
    Progress progress;
    progress.phase = Phase::kStep;
    const Watchdog watchdog(progress, options(0.3, testing::TempDir()));
    for (int i = 0; i < 30; ++i) {
      progress.collective += 1;
      usleep(50000);
    }
  });
  ASSERT_TRUE(WIFEXITED(ended.status));
  EXPECT_EQ(WEXITSTATUS(ended.status), 0) << ended.text;
}

TEST(CrashHandlerTest, SaysWhereAndDiesOfTheSameSignal) {
  for (const int number : {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT}) {
    const Ended ended = run_child([number] {
      Progress progress;
      progress.step = 42;
      install_crash_handler(progress, 3, "node07");
      if (number == SIGABRT) std::abort();
      raise(number);
    });
    EXPECT_TRUE(WIFSIGNALED(ended.status));
    EXPECT_EQ(WTERMSIG(ended.status), number);
    EXPECT_THAT(ended.text, HasSubstr("[rank 3 node07] fatal: SIG"));
    EXPECT_THAT(ended.text, HasSubstr(" at step 42, pass 0, collective #0\n"));
  }
}

// noinline, and the result is used after the call: no tail call saves the stack.
[[gnu::noinline]] std::int64_t overflow(std::int64_t depth) {
  volatile char page[4096];
  page[depth % 4096] = 1;
  return depth < 0 ? 0 : overflow(depth + 1) + page[depth % 4096];
}

TEST(CrashHandlerTest, AStackOverflowIsReported) {
  const Ended ended = run_child([] {
    Progress progress;
    progress.step = 9;
    install_crash_handler(progress, 0, "node");
    _exit(static_cast<int>(overflow(0)));
  });
  EXPECT_TRUE(WIFSIGNALED(ended.status));
  EXPECT_THAT(ended.text, HasSubstr("SIGSEGV at step 9"));
}

}  // namespace
}  // namespace weft::test

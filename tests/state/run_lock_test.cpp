#include "state/checkpoint/run_lock.h"

#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/error.h"
#include "tests/support/temporary_folder.h"

namespace weft {
namespace {

TEST(RunLockTest, TheSecondJobIsToldWhoHoldsTheDirectory) {
  const test::TemporaryFolder folder;
  const RunLock first(folder.path());
  try {
    const RunLock second(folder.path());
    FAIL() << "two jobs share a run directory";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadInput);
    EXPECT_THAT(error.what(), testing::AllOf(testing::HasSubstr(folder.path()), testing::HasSubstr("pid " + std::to_string(::getpid())),
                                             testing::HasSubstr("host "), testing::HasSubstr("boot ")));
  }
  struct stat status;
  ASSERT_EQ(::stat(folder.file(".lock").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
}

TEST(RunLockTest, IsFreeAgainAfterwards) {
  const test::TemporaryFolder folder;
  for (int times = 0; times < 3; ++times) {
    std::optional<RunLock> lock(std::in_place, folder.path());
    RunLock moved = std::move(*lock);
    lock.reset();
    EXPECT_THROW(RunLock(folder.path()), Error);
  }
}

TEST(RunLockTest, AKilledHolderLeavesNoStaleLock) {
  const test::TemporaryFolder folder;
  int held[2];
  ASSERT_EQ(::pipe(held), 0);
  const pid_t child = ::fork();
  if (child == 0) {
    const RunLock lock(folder.path());
    [[maybe_unused]] const ssize_t written = ::write(held[1], "x", 1);
    ::pause();
    ::_exit(1);
  }
  char byte;
  ASSERT_EQ(::read(held[0], &byte, 1), 1);
  EXPECT_THROW(RunLock(folder.path()), Error);
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  ASSERT_EQ(::waitpid(child, nullptr, 0), child);
  EXPECT_NO_THROW(RunLock(folder.path()));
  ::close(held[0]);
  ::close(held[1]);
}

TEST(RunLockTest, OfRacingStartsExactlyOneRuns) {
  for (int race = 0; race < 20; ++race) {
    const test::TemporaryFolder folder;
    std::vector<std::optional<RunLock>> locks(8);
    std::vector<std::thread> starts;
    std::atomic<int> losers = 0;
    for (auto& lock : locks) {
      starts.emplace_back([&] {
        try {
          lock.emplace(folder.path());
        } catch (const Error&) {
          ++losers;
        }
      });
    }
    for (std::thread& start : starts) start.join();
    EXPECT_EQ(losers, 7);
  }
}

TEST(RunLockTest, AMissingDirectoryIsAnError) {
  EXPECT_THROW(RunLock("/nowhere/at/all"), Error);
}

}  // namespace
}  // namespace weft

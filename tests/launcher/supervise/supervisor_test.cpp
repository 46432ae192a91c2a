#include "launcher/supervise/supervisor.h"

#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>

#include "launcher/supervise/process.h"
#include "tests/launcher/supervise/supervisor_folder.h"

namespace weft::test {
namespace {

class SupervisorTest : public SupervisorFolderTest {};

JobCommand shell(const std::string& script) {
  return {.arguments = {"/bin/sh", "-c", script}, .environment = this_host().environment};
}

constexpr const char* kNoProgram = "/nowhere";

int wait_for(JobProcess& process) {
  for (int i = 0; i < 1000; ++i) {
    if (const auto code = process.poll()) return *code;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return -1;
}

TEST(JobProcessTest, ExitCodesAndSignalsAreTold) {
  JobProcess exits(shell("exit 42"), kNoProgram);
  EXPECT_EQ(wait_for(exits), 42);
  JobProcess passes_it_on(shell("exit 137"), kNoProgram);  // as mpirun does when a rank is killed
  EXPECT_EQ(wait_for(passes_it_on), 137);
  EXPECT_FALSE(passes_it_on.killed());
  JobProcess dies(shell("kill -9 $$"), kNoProgram);
  EXPECT_EQ(wait_for(dies), 137);
  EXPECT_TRUE(dies.killed());
  JobProcess missing({.arguments = {"/nowhere/program"}, .environment = {}}, kNoProgram);
  EXPECT_EQ(wait_for(missing), 64);
}

TEST(JobProcessTest, ExitCodesAreToldEvenWhereTheParentIgnoresChildren) {
  signal(SIGCHLD, SIG_IGN);
  JobProcess exits(shell("exit 42"), kNoProgram);
  EXPECT_EQ(wait_for(exits), 42);
}

TEST_F(SupervisorTest, ARankCountsThoughItsFileWasReplaced) {
  const auto install = [&] { fs::copy_file("/bin/sleep", path("program"), fs::copy_options::overwrite_existing); };
  install();
  // A shell in place of mpirun: it starts a rank, and something else.
  JobProcess process(shell(fmt::format("'{}' 100 & sleep 100 & wait", path("program"))), path("program"));
  const auto becomes = [&](int count) {
    for (int i = 0; i < 500 && process.count_ranks() != count; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(10));
    return process.count_ranks();
  };
  EXPECT_EQ(becomes(1), 1);
  fs::rename(path("program"), path("older"));
  EXPECT_EQ(process.count_ranks(), 1);
  install();
  fs::remove(path("older"));
  EXPECT_EQ(process.count_ranks(), 1);
  for (const pid_t child : children_of(process.pid())) kill(child, SIGKILL);
  EXPECT_EQ(becomes(0), 0);
}

TEST_F(SupervisorTest, AStorageThatFailsEndsNoJob) {
  write("run", "a file, so that every list fails");
  SupervisedJob job{.command = shell("exit 75"), .program = "/bin/sh", .run_dir = path("run")};
  const std::unique_ptr<Storage> storage = make_posix_storage();
  Log log;
  EXPECT_EQ(supervise(job, *storage, log), 75);
  job.command = shell(fmt::format("echo once >>'{}'; exit 1", path("starts")));
  EXPECT_EQ(supervise(job, *storage, log), 1);
  EXPECT_EQ(fs::file_size(path("starts")), 4 * std::string("once\n").size());  // three relaunches, as without a step
}

TEST_F(SupervisorTest, AStartThatNeverBeginsIsKilled) {
  SupervisedJob job{.command = shell("exec sleep 100"), .program = "/bin/sleep", .run_dir = path("run")};
  job.max_relaunches = 0;
  job.start_seconds = 0.2;
  const std::unique_ptr<Storage> storage = make_posix_storage();
  Log log;
  EXPECT_EQ(supervise(job, *storage, log), 128 + SIGKILL);
}

TEST(JobProcessTest, GrandchildrenWhoseParentDiedAreKilledToo) {
  {
    JobProcess process(shell("setsid sleep 100 & setsid sleep 100 & kill -9 $$"), kNoProgram);
    EXPECT_EQ(wait_for(process), 137);
    EXPECT_EQ(children_of(getpid()).size(), 2u);  // they are ours now
    process.kill_all();
    EXPECT_TRUE(children_of(getpid()).empty());
  }
  JobProcess alive(shell("sleep 100 & wait"), kNoProgram);
  alive.kill_all();
  EXPECT_EQ(alive.poll(), 137);
}

TEST(JobProcessTest, TheJobDiesWithItsSupervisor) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  const pid_t supervisor = fork();
  if (supervisor == 0) {
    const JobProcess process(shell("exec sleep 100"), kNoProgram);
    const pid_t pid = process.pid();
    if (write(ends[1], &pid, sizeof pid) != sizeof pid) _exit(1);
    for (;;) pause();
  }
  pid_t job = 0;
  ASSERT_EQ(read(ends[0], &job, sizeof job), static_cast<ssize_t>(sizeof job));
  kill(supervisor, SIGKILL);
  waitpid(supervisor, nullptr, 0);
  int waited = 0;
  while (kill(job, 0) == 0 && waited < 500) {
    waitpid(job, nullptr, WNOHANG);  // this test may have become its parent
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
    waited += 1;
  }
  EXPECT_LT(waited, 500);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace weft::test

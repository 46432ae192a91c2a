#include "launcher/supervisor.h"

#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <thread>

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "launcher/supervisor_files.h"
#include "launcher/supervisor_hang.h"
#include "launcher/supervisor_policy.h"
#include "launcher/supervisor_process.h"
#include "runtime/error.h"

namespace weft::test {
namespace {

namespace fs = std::filesystem;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::UnorderedElementsAre;

TEST(RelaunchPolicyTest, FinalCodesEnd) {
  for (const int code : {0, 64, 75, 77, 78}) EXPECT_FALSE(RelaunchPolicy(10, -1).decide(code, 100, 0).relaunch) << code;
  for (const int code : {1, 76, 79, 134, 137, 139}) EXPECT_TRUE(RelaunchPolicy(10, -1).decide(code, 100, 0).relaunch) << code;
}

TEST(RelaunchPolicyTest, ThreeRelaunchesWithoutANewStepAreTheLast) {
  RelaunchPolicy policy(10, 40);
  EXPECT_DOUBLE_EQ(policy.decide(137, 40, 0).delay_seconds, 0.1);
  EXPECT_DOUBLE_EQ(policy.decide(137, 40, 1).delay_seconds, 0.2);
  EXPECT_DOUBLE_EQ(policy.decide(137, 40, 2).delay_seconds, 0.4);
  const auto last = policy.decide(137, 40, 3);
  EXPECT_FALSE(last.relaunch);
  EXPECT_EQ(last.reason, "3 relaunches brought no new step");
}

TEST(RelaunchPolicyTest, ANewStepStartsTheCountAgainAndALostOneDoesNot) {
  RelaunchPolicy policy(10, 40);
  for (const int step : {40, 40, 40}) EXPECT_TRUE(policy.decide(1, step, 0).relaunch);
  const auto after_progress = policy.decide(1, 60, 0);
  EXPECT_TRUE(after_progress.relaunch);
  EXPECT_DOUBLE_EQ(after_progress.delay_seconds, 0.1);
  for (const int step : {40, 60}) EXPECT_TRUE(policy.decide(1, step, 0).relaunch);
  EXPECT_FALSE(policy.decide(1, 60, 0).relaunch);
}

TEST(RelaunchPolicyTest, TheDelayIsNeverShorterThanAsked) {
  RelaunchPolicy policy(10, 40);
  EXPECT_DOUBLE_EQ(policy.decide(1, 40, 0, 20).delay_seconds, 20);
  EXPECT_DOUBLE_EQ(policy.decide(1, 40, 0).delay_seconds, 0.2);
  EXPECT_EQ(describe_exit(137), "killed by signal 9 (exit code 137)");
  EXPECT_EQ(describe_exit(255), "exit code 255");  // mpirun when ssh fails
}

TEST(RelaunchPolicyTest, AnHourHoldsSoManyRelaunches) {
  RelaunchPolicy policy(2, 0);
  EXPECT_TRUE(policy.decide(1, 1, 0).relaunch);
  EXPECT_TRUE(policy.decide(1, 2, 10).relaunch);
  EXPECT_FALSE(policy.decide(1, 3, 3599).relaunch);
  EXPECT_TRUE(policy.decide(1, 4, 3600).relaunch);  // the first is an hour old
  EXPECT_FALSE(policy.decide(1, 5, 3601).relaunch);
  EXPECT_FALSE(RelaunchPolicy(0, 0).decide(1, 1, 0).relaunch);
}

class SupervisorFilesTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = fs::path(testing::TempDir()) / fmt::format("weft_supervisor_{}", getpid());
    fs::remove_all(folder_);
    fs::create_directories(folder_ / "shm");
  }
  void TearDown() override { fs::remove_all(folder_); }

  void write(const std::string& name, const std::string& text) const {
    fs::create_directories((folder_ / name).parent_path());
    std::ofstream(folder_ / name) << text;
  }
  std::string path(const std::string& name) const { return (folder_ / name).string(); }
  MpirunFiles files(double started) const {
    MpirunFiles job;
    job.tmp_folder = folder_.string();
    job.shm_folder = path("shm");
    job.host = "node07.example.org";
    job.uid = geteuid();
    job.mpirun = 18812;
    job.started = started;
    return job;
  }
  std::string session(int pid) const { return fmt::format("ompi.node07.{}/pid.{}", geteuid(), pid); }
  std::string segment(const std::string& job) const { return fmt::format("shm/vader_segment.node07.{}.{}", geteuid(), job); }

  fs::path folder_;
};

TEST_F(SupervisorFilesTest, OnlyWhatTheOwnMpirunLeftIsRemoved) {
  write(session(18812) + "/contact.txt", "629276672.0;tcp://192.0.2.2:60677\n18812\n");
  write(session(18812) + "/1/0/file", "");
  write(session(18813) + "/contact.txt", "629342208.0;tcp://192.0.2.2:60678\n18813\n");
  for (const char* job : {"25820001.0", "25820001.1", "2582000.1", "258200011.0", "25830001.0"}) write(segment(job), "x");
  write("shm/vader_segment.node08.0.25820001.0", "x");
  write("shm/other", "x");
  EXPECT_THAT(remove_leftovers_of(files(0)),
              UnorderedElementsAre(path(segment("25820001.0")), path(segment("25820001.1")), path(session(18812))));
  EXPECT_TRUE(fs::exists(path(session(18813))));
  for (const char* job : {"2582000.1", "258200011.0", "25830001.0"}) EXPECT_TRUE(fs::exists(path(segment(job)))) << job;
  EXPECT_FALSE(fs::exists(path(session(18812))));
  EXPECT_TRUE(remove_leftovers_of(files(0)).empty());
}

TEST_F(SupervisorFilesTest, ALaterStartKnowsWhatADeadMpirunOfThisHostLeft) {
  const pid_t dead = fork();
  if (dead == 0) _exit(0);
  siginfo_t ended;
  waitid(P_PID, static_cast<id_t>(dead), &ended, WEXITED | WNOWAIT);  // a zombie
  MpirunFiles job = files(1234.5);
  job.mpirun = dead;
  write_mpirun_record(path("record"), job);
  MpirunFiles here = files(0);
  here.tmp_folder = "/elsewhere";
  const auto read = read_mpirun_record(path("record"), here);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->tmp_folder, job.tmp_folder);
  EXPECT_EQ(read->mpirun, dead);
  EXPECT_EQ(read->started, 1234.5);
  waitpid(dead, nullptr, 0);
  EXPECT_TRUE(read_mpirun_record(path("record"), here));
  here.host = "node08";
  EXPECT_FALSE(read_mpirun_record(path("record"), here));
  here.host = job.host;
  job.mpirun = getpid();  // it runs
  write_mpirun_record(path("record"), job);
  EXPECT_FALSE(read_mpirun_record(path("record"), here));
  EXPECT_FALSE(read_mpirun_record(path("no record"), here));
  write("record", "node07.example.org 12");
  EXPECT_FALSE(read_mpirun_record(path("record"), here));
}

TEST_F(SupervisorFilesTest, OlderFilesAndLinksStay) {
  write(session(18812) + "/contact.txt", "629276672.0;tcp://192.0.2.2:60677\n18812\n");
  write(segment("25820001.0"), "x");
  const double tomorrow = static_cast<double>(time(nullptr)) + 86400;
  EXPECT_TRUE(remove_leftovers_of(files(tomorrow)).empty());
  EXPECT_TRUE(fs::exists(path(segment("25820001.0"))));
  write("precious/contact.txt", "629276672.0;\n");
  fs::remove_all(path(session(18812)));
  fs::create_symlink(path("precious"), path(session(18812)));
  EXPECT_TRUE(remove_leftovers_of(files(0)).empty());
  EXPECT_TRUE(fs::exists(path("precious/contact.txt")));
}

TEST_F(SupervisorFilesTest, SlotsOfAHostfile) {
  write("hosts", "# ours\nnode1\tslots=4\n\nnode2 slots=8 max_slots=8  # big\n");
  EXPECT_EQ(read_hostfile(path("hosts")).total, 12);
  EXPECT_EQ(read_hostfile(path("hosts")).largest, 8);
  write("silent", "node1 slots=4\nnode2\n");
  EXPECT_EQ(read_hostfile(path("silent")).total, 0);
  write("empty", "# nobody\n");
  for (const char* name : {"empty", "missing", "shm"}) EXPECT_THROW(read_hostfile(path(name)), Error) << name;
}

constexpr const char* kHeader = "# number group operation sequence bytes dtype start end\n";

TEST_F(SupervisorFilesTest, ARankBehindTheOthersIsSuspected) {
  for (const int rank : {0, 1, 3}) {
    write(fmt::format("flight/rank-{}.txt", rank),
          std::string(kHeader) + "823 dp all_reduce 822 8 float64 1.5 1.6\n824 dp all_gather 823 64 float32 1.7 -\n");
  }
  write("flight/rank-2.txt", std::string(kHeader) + "823 dp all_reduce 822 8 float64 1.5 1.6\n");
  EXPECT_EQ(describe_hang(folder_.string(), 4, {}),
            "\n  suspect   rank 2: last in all_reduce #822 of dp, done\n  last      ranks 0 1 3: all_gather #823 of dp, entered");
}

TEST_F(SupervisorFilesTest, ARankWithoutARecordOfThisHangIsSuspected) {
  write("flight/rank-0.txt", std::string(kHeader) + "824 dp all_gather 823 64 float32 1.7 -\n");
  EXPECT_EQ(describe_hang(folder_.string(), 3, {}),
            "\n  suspect   ranks 1 2: no flight record, so stopped, dead or cut off\n  last      rank 0: all_gather #823 of dp, entered");
  EXPECT_EQ(describe_hang(folder_.string(), 3, flight_times(folder_.string(), 3)), "");  // an old record says nothing
}

TEST_F(SupervisorFilesTest, RanksThatAllWaitAreNotSuspected) {
  for (const int rank : {0, 1}) write(fmt::format("flight/rank-{}.txt", rank), std::string(kHeader) + "7 dp barrier 7 0 uint8 1.7 -\n");
  EXPECT_EQ(describe_hang(folder_.string(), 2, {}), "\n  last      ranks 0 1: barrier #7 of dp, entered");
}

TEST_F(SupervisorFilesTest, WhenAllRanksOfTwoHostsWaitTheNetworkIsSuspected) {
  for (const int rank : {0, 1, 2}) {
    write(fmt::format("flight/rank-{}.txt", rank),
          fmt::format("{}7 dp barrier 7 0 uint8 1.7 -\n# host {}\n", kHeader, rank < 2 ? "node01" : "node02"));
  }
  EXPECT_EQ(describe_hang(folder_.string(), 3, {}),
            "\n  suspect   the network between ranks 0 1 (node01), rank 2 (node02): all wait in the same collective"
            "\n  last      ranks 0 1 2 (node01 node02): barrier #7 of dp, entered");
  write("flight/rank-2.txt", std::string(kHeader) + "6 dp barrier 6 0 uint8 1.6 1.7\n# host node02\n");
  EXPECT_EQ(describe_hang(folder_.string(), 3, {}),
            "\n  suspect   rank 2 (node02): last in barrier #6 of dp, done; all ranks there, so perhaps the network"
            "\n  last      ranks 0 1 (node01): barrier #7 of dp, entered");
  write("flight/rank-0.txt", std::string(kHeader) + "6 dp barrier 6 0 uint8 1.6 1.7\n# host node01\n");
  write("flight/rank-2.txt", std::string(kHeader) + "7 dp barrier 7 0 uint8 1.7 -\n# host node02\n");
  EXPECT_THAT(describe_hang(folder_.string(), 3, {}), HasSubstr("rank 0 (node01): last in barrier #6 of dp, done\n"));
}

class JobCommandTest : public SupervisorFilesTest {
 protected:
  void SetUp() override {
    SupervisorFilesTest::SetUp();
    write("bin/mpirun", "#!/bin/sh\n");
    chmod(path("bin/mpirun").c_str(), 0700);
    host_ = {.program = "/opt/weft", .cores = 8, .root = false, .environment = {{"PATH", "/nowhere:" + path("bin")}}};
  }
  LaunchHost host_;
  const std::vector<std::string> train_ = {"train", "--config", "a.yaml"};
};

TEST_F(JobCommandTest, OneRankNeedsNoMpirun) {
  host_.environment.clear();
  const JobCommand job = make_job_command({.ranks = 1, .hostfile = "", .weft_arguments = train_}, host_);
  EXPECT_THAT(job.arguments, ElementsAre("/opt/weft", "train", "--config", "a.yaml"));
  EXPECT_EQ(job.environment.at("OMP_NUM_THREADS"), "8");
}

TEST_F(JobCommandTest, RanksShareTheCores) {
  host_.root = true;
  const JobCommand job = make_job_command({.ranks = 3, .hostfile = "", .weft_arguments = train_}, host_);
  EXPECT_THAT(job.arguments, ElementsAre(path("bin/mpirun"), "-n", "3", "--bind-to", "none", "--mca", "odls_base_sigkill_timeout", "0",
                                         "--oversubscribe", "/opt/weft", "train", "--config", "a.yaml"));
  EXPECT_EQ(job.environment.at("OMP_NUM_THREADS"), "2");
  EXPECT_FALSE(job.environment.contains("OMP_WAIT_POLICY"));
  EXPECT_EQ(job.environment.at("OMPI_ALLOW_RUN_AS_ROOT"), "1");
  EXPECT_EQ(job.environment.at("OMPI_ALLOW_RUN_AS_ROOT_CONFIRM"), "1");
}

TEST_F(JobCommandTest, WhatTheUserSetStaysAndCrowdedCoresDoNotSpin) {
  host_.environment["OMP_NUM_THREADS"] = "4";
  JobCommand job = make_job_command({.ranks = 3, .hostfile = "", .weft_arguments = train_}, host_);
  EXPECT_EQ(job.environment.at("OMP_NUM_THREADS"), "4");
  EXPECT_EQ(job.environment.at("OMP_WAIT_POLICY"), "passive");
  host_.environment = {{"PATH", path("bin")}, {"OMP_WAIT_POLICY", "active"}};
  job = make_job_command({.ranks = 20, .hostfile = "", .weft_arguments = train_}, host_);
  EXPECT_EQ(job.environment.at("OMP_NUM_THREADS"), "1");
  EXPECT_EQ(job.environment.at("OMP_WAIT_POLICY"), "active");
}

TEST_F(JobCommandTest, AHostfileSaysHowManyRanksShareAHost) {
  write("hosts", "node1 slots=2\nnode2 slots=2\n");
  const JobCommand job = make_job_command({.ranks = 4, .hostfile = path("hosts"), .weft_arguments = train_}, host_);
  EXPECT_THAT(job.arguments, testing::IsSupersetOf({"--hostfile", path("hosts").c_str(), "-x", "OMP_NUM_THREADS"}));
  EXPECT_THAT(job.arguments, testing::Not(testing::Contains("--oversubscribe")));
  EXPECT_EQ(job.environment.at("OMP_NUM_THREADS"), "4");
  EXPECT_EQ(job.environment.at("OMPI_MCA_plm_rsh_args"), "-o BatchMode=yes -o ConnectTimeout=10");
  host_.environment["OMPI_MCA_plm_rsh_agent"] = "rsh";  // has no such options
  EXPECT_FALSE(make_job_command({.ranks = 4, .hostfile = path("hosts"), .weft_arguments = train_}, host_)
                   .environment.contains("OMPI_MCA_plm_rsh_args"));
  EXPECT_THAT(read_hostfile(path("hosts")).hosts, ElementsAre("node1", "node2"));
  try {
    make_job_command({.ranks = 5, .hostfile = path("hosts"), .weft_arguments = train_}, host_);
    FAIL() << "5 ranks on 4 slots";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadInput);
    EXPECT_THAT(error.what(), HasSubstr("5 ranks do not fit"));
  }
}

TEST_F(JobCommandTest, WithoutMpirunThePackageIsNamed) {
  host_.environment["PATH"] = "/nowhere";
  try {
    make_job_command({.ranks = 2, .hostfile = "", .weft_arguments = train_}, host_);
    FAIL() << "found an mpirun in /nowhere";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadInput);
    EXPECT_THAT(error.what(), HasSubstr("openmpi-bin"));
  }
}

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

TEST_F(SupervisorFilesTest, ARankCountsThoughItsFileWasReplaced) {
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

TEST_F(SupervisorFilesTest, AStorageThatFailsEndsNoJob) {
  write("run", "a file, so that every list fails");
  SupervisedJob job{.command = shell("exit 75"), .program = "/bin/sh", .run_dir = path("run")};
  const std::unique_ptr<Storage> storage = make_posix_storage();
  Log log;
  EXPECT_EQ(supervise(job, *storage, log), 75);
  job.command = shell(fmt::format("echo once >>'{}'; exit 1", path("starts")));
  EXPECT_EQ(supervise(job, *storage, log), 1);
  EXPECT_EQ(fs::file_size(path("starts")), 4 * std::string("once\n").size());  // three relaunches, as without a step
}

TEST_F(SupervisorFilesTest, OnlyARecordThatIsNewSpeaksOfAHang) {
  write("flight/rank-0.txt", "#");
  const FlightTimes before = flight_times(folder_.string(), 2);
  EXPECT_TRUE(records_since(folder_.string(), 2, before).empty());
  EXPECT_TRUE(records_since(folder_.string(), 2, {{0, kUnknownTime}, {1, kUnknownTime}}).empty());
  write("flight/rank-1.txt", "#");
  EXPECT_THAT(records_since(folder_.string(), 2, before), ElementsAre(1));
  fs::last_write_time(path("flight/rank-0.txt"), fs::file_time_type::clock::now() + std::chrono::seconds(5));
  EXPECT_THAT(records_since(folder_.string(), 2, before), ElementsAre(0, 1));
  fs::remove_all(path("flight"));
  write("flight", "a file, so that no record can be asked for");
  EXPECT_TRUE(records_since(folder_.string(), 2, before).empty());
}

TEST_F(SupervisorFilesTest, AStartThatNeverBeginsIsKilled) {
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

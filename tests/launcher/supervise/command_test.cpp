#include "launcher/supervise/command.h"

#include <sys/stat.h>

#include <gmock/gmock.h>

#include "runtime/error.h"
#include "tests/launcher/supervise/supervisor_folder.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class JobCommandTest : public SupervisorFolderTest {
 protected:
  void SetUp() override {
    SupervisorFolderTest::SetUp();
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

TEST_F(JobCommandTest, SlotsOfAHostfile) {
  write("hosts", "# ours\nnode1\tslots=4\n\nnode2 slots=8 max_slots=8  # big\n");
  EXPECT_EQ(read_hostfile(path("hosts")).total, 12);
  EXPECT_EQ(read_hostfile(path("hosts")).largest, 8);
  write("silent", "node1 slots=4\nnode2\n");
  EXPECT_EQ(read_hostfile(path("silent")).total, 0);
  write("empty", "# nobody\n");
  for (const char* name : {"empty", "missing", "shm"}) EXPECT_THROW(read_hostfile(path(name)), Error) << name;
}

}  // namespace
}  // namespace weft::test

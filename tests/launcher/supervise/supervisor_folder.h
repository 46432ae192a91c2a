#pragma once
#include <sys/types.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "launcher/supervise/files.h"

namespace weft::test {

namespace fs = std::filesystem;

/// A folder of the test's own that stands for what an mpirun and a run leave on disk.
class SupervisorFolderTest : public testing::Test {
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

}  // namespace weft::test

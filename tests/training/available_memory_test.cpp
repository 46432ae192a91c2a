#include "training/available_memory.h"

#include <filesystem>
#include <limits>

#include <gtest/gtest.h>

#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

/// A tree of control groups.
class AvailableMemoryTest : public testing::Test {
 protected:
  void write(const std::string& file, const std::string& text) {
    std::filesystem::create_directories(std::filesystem::path(root_.path(file)).parent_path());
    root_.write(file, text);
  }
  std::int64_t limit() const { return control_group_limit(root_.path("")); }

  TextFolder root_;
};

constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();

TEST_F(AvailableMemoryTest, WithoutGroupsThereIsNoLimit) {
  EXPECT_EQ(limit(), kNoLimit);
  write("proc/self/cgroup", "0::/user.slice\n");
  write("sys/fs/cgroup/user.slice/memory.max", "max\n");
  EXPECT_EQ(limit(), kNoLimit);
}

TEST_F(AvailableMemoryTest, TheSmallestLimitFromTheGroupUpCounts) {
  write("proc/self/cgroup", "0::/system.slice/slurmstepd.scope/job_7/step_0\n");
  const std::string job = "sys/fs/cgroup/system.slice/slurmstepd.scope/job_7";
  write(job + "/step_0/memory.max", "max\n");
  write(job + "/memory.max", "4000000\n");
  write("sys/fs/cgroup/system.slice/memory.max", "9000000\n");
  write("sys/fs/cgroup/other/memory.max", "1\n");
  EXPECT_EQ(limit(), 4000000);
  write(job + "/step_0/memory.max", "3000000\n");
  EXPECT_EQ(limit(), 3000000);
  write("sys/fs/cgroup/system.slice/memory.max", "2000000\n");
  EXPECT_EQ(limit(), 2000000);
}

TEST_F(AvailableMemoryTest, VersionOneHasItsOwnTree) {
  write("proc/self/cgroup", "12:cpu,cpuacct:/a\n5:hugetlb,memory:/slurm/uid_0/job_7\n0::/unified\n");
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "9223372036854771712\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/memory.limit_in_bytes", "5000000\n");
  write("sys/fs/cgroup/memory/slurm/uid_0/job_7/memory.limit_in_bytes", "6000000\n");
  write("sys/fs/cgroup/memory/a/memory.limit_in_bytes", "1\n");
  EXPECT_EQ(limit(), 5000000);
}

TEST_F(AvailableMemoryTest, InAContainerItsGroupIsTheRoot) {
  write("proc/self/cgroup", "0::/../../docker/7f\n5:memory:/docker/7f\n");
  write("sys/fs/cgroup/memory.max", "7000000\n");
  EXPECT_EQ(limit(), 7000000);
  write("sys/fs/cgroup/memory/memory.limit_in_bytes", "6000000\n");
  EXPECT_EQ(limit(), 6000000);
}

}  // namespace
}  // namespace weft::test

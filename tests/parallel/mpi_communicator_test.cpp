#include <sys/statvfs.h>

#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parallel/mpi/mpi_mesh.h"
#include "runtime/cpu_device.h"
#include "runtime/error.h"
#include "runtime/kernels/table.h"
#include "tests/parallel/collective_cases.h"
#include "tests/parallel/mpi_test.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

template <class Call>
std::string message_of(Call call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

enum class Machine { kSharedMemory, kNoSharedMemory, kHostsOfTwo, kHostsOfOne };

/// The ranks of this mpirun as they are, without room in /dev/shm, and as if they were on several hosts.
class MpiRanks : public testing::TestWithParam<Machine> {
 protected:
  int ranks_per_host() const { return GetParam() == Machine::kHostsOfTwo ? 2 : GetParam() == Machine::kHostsOfOne ? 1 : 0; }
  Mesh mesh(const ParallelConfig& config = {}) {
    return make_mesh(mpi_session(), config, record_,
                     {.say = [this](const std::string& text) { said_.push_back(text); },
                      .share_memory = GetParam() != Machine::kNoSharedMemory,
                      .ranks_per_host = ranks_per_host()});
  }
  Stream& stream() { return device_.stream(StreamKind::kCommunication); }

  Progress progress_;
  std::shared_ptr<FlightRecord> record_ = std::make_shared<FlightRecord>(&progress_);
  std::vector<std::string> said_;
  CpuDevice device_{reference_kernels()};
};

TEST_P(MpiRanks, EveryVerbGivesTheBitsOfSumsInRankOrder) {
  const Mesh all = mesh();
  ASSERT_GT(all.dp->size(), 1) << "to be run under mpirun -n 2 or more";
  for (CollectiveCase what : all_cases()) {
    if (ranks_per_host() > 0) what.ranks_per_host = ranks_per_host();
    check_collectives(*all.dp, device_, what);
  }
}

TEST_P(MpiRanks, TensorsMayBeOverwrittenAsSoonAsACallReturns) {
  const Mesh all = mesh();
  check_reuse(*all.dp, device_, 100);
}

TEST_P(MpiRanks, TheGridHasDataAndTensorAxes) {
  const int ranks = mesh().world->size(), tensor = ranks % 2 == 0 ? 2 : ranks;
  const Mesh all = mesh({.tensor = tensor});
  const int rank = all.world->rank();
  EXPECT_EQ(all.dp->rank(), rank / tensor);
  EXPECT_EQ(all.dp->size(), ranks / tensor);
  EXPECT_EQ(all.tp->rank(), rank % tensor);
  EXPECT_EQ(all.tp->size(), tensor);
  const Memory memory = device_.allocate(8, MemoryKind::kDevice);
  const Tensor x = memory.tensor({1}, DType::kFloat64);
  *x.as<double>() = 1 << rank;
  all.tp->all_reduce(stream(), x);
  EXPECT_EQ(*x.as<double>(), ((1 << tensor) - 1) << (rank / tensor * tensor));
}

/// Asked for more than there is, gives a little: the test touches only the beginning.
class FrugalDevice : public CpuDevice {
 public:
  using CpuDevice::CpuDevice;
  Memory allocate(std::int64_t bytes, MemoryKind kind) override { return CpuDevice::allocate(std::min<std::int64_t>(bytes, 4096), kind); }
};

TEST_P(MpiRanks, AWindowThatDoesNotFitIsCopiedThroughStaging) {
  const Mesh all = mesh();
  const std::size_t said = said_.size();
  struct statvfs shared {};
  ASSERT_EQ(statvfs("/dev/shm", &shared), 0);
  FrugalDevice device(reference_kernels());
  const auto too_much = static_cast<std::int64_t>(shared.f_blocks * shared.f_frsize) + 4096;
  const Memory memory = all.dp->allocate(device, too_much), again = all.dp->allocate(device, too_much);
  const bool tells = (GetParam() == Machine::kSharedMemory || GetParam() == Machine::kHostsOfTwo) && all.world->rank() == 0;
  ASSERT_EQ(said_.size() - said, tells ? 1 : 0);
  if (tells) {
    EXPECT_THAT(said_.back(), HasSubstr("No space left on device"));
  }
  const Tensor x = memory.tensor({3}, DType::kFloat32);
  for (float& value : x.span<float>()) value = static_cast<float>(all.dp->rank() + 1);
  all.dp->all_reduce(stream(), x);
  const int ranks = all.dp->size();
  for (const float value : x.span<float>()) EXPECT_EQ(value, static_cast<float>(ranks * (ranks + 1) / 2));
}

TEST_P(MpiRanks, RanksMustAllocateAlike) {
  if (GetParam() != Machine::kSharedMemory) return;  // elsewhere allocation is nobody else's business
  const Mesh all = mesh();
  EXPECT_THAT(message_of([&] { all.dp->allocate(device_, all.dp->rank() == 0 ? 64 : 128); }), HasSubstr("64 to 128 bytes"));
}

TEST_P(MpiRanks, DifferentCallsAreNamedOnEveryRank) {
  const Mesh all = mesh();
  const Memory memory = all.dp->allocate(device_, 64);
  const Tensor x = memory.tensor({8}, DType::kFloat32);
  const std::string message = message_of([&] {
    if (all.dp->rank() == 1) return all.dp->broadcast(stream(), x.rows(0, 4), 0);
    all.dp->all_reduce(stream(), x);
  });
  EXPECT_THAT(message, AllOf(HasSubstr("dp: "), HasSubstr("rank 0    all_reduce #1, 32 bytes of float32"),
                             HasSubstr("rank 1    broadcast #1, 16 bytes of float32 from rank 0")));
  EXPECT_THAT(record_->last(), HasSubstr("entered and not left"));
  all.dp->barrier(stream());  // the group still works
}

TEST_P(MpiRanks, EveryCollectiveIsProgressAndRecorded) {
  const Mesh all = mesh();
  EXPECT_EQ(progress_.collective, 0);
  all.world->barrier(stream());
  all.dp->barrier(stream());
  EXPECT_EQ(progress_.collective, 2);
  EXPECT_EQ(record_->last(), "barrier #1, dp, done");
  all.control->agree({1, 2});
  all.control->broadcast("four", 0);
  EXPECT_EQ(progress_.collective, 4);
  EXPECT_EQ(record_->last(), "broadcast #2, 4 bytes of uint8 from rank 0, control, done");
}

TEST_P(MpiRanks, RankZeroIsToldOnceWhenMemoryIsNotShared) {
  const Mesh all = mesh();
  const std::size_t expected = GetParam() == Machine::kNoSharedMemory && all.world->rank() == 0 ? 1 : 0;
  ASSERT_EQ(said_.size(), expected);
  for (const std::string& text : said_) EXPECT_THAT(text, HasSubstr("no shared memory"));
}

TEST_P(MpiRanks, ControlMovesBytesAndMaxima) {
  const Mesh all = mesh();
  Control& control = *all.control;
  const int last = control.size() - 1;
  EXPECT_EQ(control.broadcast("from " + std::to_string(control.rank()), last), "from " + std::to_string(last));
  EXPECT_EQ(control.broadcast("", 0), "");
  const std::string large(static_cast<std::size_t>(9'000'000 * control.rank()), static_cast<char>('a' + control.rank()));
  const std::vector<std::string> gathered = control.gather(large, last);
  ASSERT_EQ(gathered.size(), control.rank() == last ? static_cast<std::size_t>(control.size()) : 0);
  for (std::size_t from = 0; from < gathered.size(); ++from) {
    EXPECT_TRUE(gathered[from] == std::string(9'000'000 * from, static_cast<char>('a' + from))) << from;
  }
  for (const std::size_t count : {std::size_t{0}, std::size_t{3}, std::size_t{14}, std::size_t{15}, std::size_t{100}}) {
    EXPECT_EQ(control.agree(std::vector<std::int64_t>(count, control.rank() - 5)), std::vector<std::int64_t>(count, last - 5)) << count;
  }
  EXPECT_THAT(message_of([&] { control.agree(std::vector<std::int64_t>(control.rank() == 0 ? 1 : 2)); }), HasSubstr("votes"));
}

TEST_P(MpiRanks, AGridThatDoesNotFitIsRefusedOnEveryRank) {
  const std::string message = message_of([&] { mesh({.data = 5}); });
  EXPECT_THAT(message, AllOf(HasSubstr("parallel.data: 5"), HasSubstr("mpirun -n 5")));
}

/// Of six ranks, three on a host, those of one tensor-parallel group are on both hosts, and its two columns of data-parallel ranks are cut
/// by the hosts in different places.
TEST(MpiColumnsTest, RanksOfATensorParallelGroupGetTheSameBitsOfSums) {
  CpuDevice device(reference_kernels());
  for (const int ranks_per_host : {0, 3}) {
    const Mesh mesh = make_mesh(mpi_session(), {.tensor = 2}, std::make_shared<FlightRecord>(), {.ranks_per_host = ranks_per_host});
    ASSERT_EQ(mesh.world->size(), 6) << "to be run under mpirun -n 6";
    EXPECT_EQ(mesh.tensor_over_network, ranks_per_host == 3);
    Stream& stream = device.stream(StreamKind::kCommunication);
    constexpr std::int64_t kCount = 1000;
    const Memory memory = mesh.dp->allocate(device, 3 * kCount * size_of(DType::kFloat32));
    const Tensor all = memory.tensor({3 * kCount}, DType::kFloat32), sum = all.rows(0, kCount), of_group = all.rows(kCount, 2 * kCount);
    for (std::int64_t i = 0; i < kCount; ++i) {
      sum.as<float>()[i] = 1 / static_cast<float>(1 + i * 7 + static_cast<std::int64_t>(mesh.dp->rank()) * 1009);
    }
    mesh.dp->all_reduce(stream, sum);
    mesh.tp->all_gather(stream, sum, of_group);
    EXPECT_EQ(std::memcmp(of_group.data, of_group.rows(kCount, kCount).data, static_cast<std::size_t>(sum.bytes())), 0) << ranks_per_host;
  }
}

INSTANTIATE_TEST_SUITE_P(Machines, MpiRanks,
                         testing::Values(Machine::kSharedMemory, Machine::kNoSharedMemory, Machine::kHostsOfTwo, Machine::kHostsOfOne));

}  // namespace
}  // namespace weft::test

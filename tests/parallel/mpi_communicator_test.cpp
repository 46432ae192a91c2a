#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "parallel/mpi_mesh.h"
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

/// The ranks of this mpirun, with memory that they share and without.
class MpiRanks : public testing::TestWithParam<bool> {
 protected:
  Mesh mesh(const ParallelConfig& config = {}) {
    return make_mesh(mpi_session(), config, progress_,
                     {.say = [this](const std::string& text) { said_.push_back(text); }, .share_memory = GetParam()});
  }
  Stream& stream() { return device_.stream(StreamKind::kCommunication); }

  Progress progress_;
  std::vector<std::string> said_;
  CpuDevice device_{reference_kernels()};
};

TEST_P(MpiRanks, EveryVerbGivesTheBitsOfSumsInRankOrder) {
  const Mesh all = mesh();
  ASSERT_GT(all.dp->size(), 1) << "to be run under mpirun -n 2 or more";
  for (const CollectiveCase& what : all_cases()) check_collectives(*all.dp, device_, what);
}

TEST_P(MpiRanks, RanksOfOneColourFormAGroupInTheirOrder) {
  const Mesh all = mesh();
  const int rank = all.world->rank(), size = all.world->size();
  const std::unique_ptr<Communicator> part = all.world->split(rank % 2);
  EXPECT_EQ(part->size(), (size + 1 - rank % 2) / 2);
  EXPECT_EQ(part->rank(), rank / 2);
  if (part->size() > 1) check_collectives(*part, device_, {.count = 5});
}

TEST_P(MpiRanks, TheGridHasDataAndTensorAxes) {
  const Mesh all = mesh({.tensor = 2});
  const int rank = all.world->rank();
  EXPECT_EQ(all.dp->rank(), rank / 2);
  EXPECT_EQ(all.tp->rank(), rank % 2);
  EXPECT_EQ(all.tp->size(), 2);
  const Memory memory = device_.allocate(8, MemoryKind::kDevice);
  const Tensor x = memory.tensor({1}, DType::kFloat64);
  *x.as<double>() = 1 << rank;
  all.tp->all_reduce(stream(), x);
  EXPECT_EQ(*x.as<double>(), 3 << (rank / 2 * 2));
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
  EXPECT_THAT(all.record->last(), HasSubstr("entered and not left"));
  all.dp->barrier(stream());  // the group still works
}

TEST_P(MpiRanks, EveryCollectiveIsProgressAndRecorded) {
  const Mesh all = mesh();
  EXPECT_EQ(progress_.collective, 0);
  all.world->barrier(stream());
  all.dp->barrier(stream());
  EXPECT_EQ(progress_.collective, 2);
  EXPECT_EQ(all.record->last(), "barrier #1, dp, done");
}

TEST_P(MpiRanks, RankZeroIsToldOnceWhenMemoryIsNotShared) {
  const Mesh all = mesh();
  const std::size_t expected = !GetParam() && all.world->rank() == 0 ? 1 : 0;
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
  const std::string message = message_of([&] { mesh({.data = 3}); });
  EXPECT_THAT(message, AllOf(HasSubstr("parallel.data: 3"), HasSubstr("mpirun -n 3")));
}

INSTANTIATE_TEST_SUITE_P(Memory, MpiRanks, testing::Bool(),
                         [](const testing::TestParamInfo<bool>& memory) { return memory.param ? "Shared" : "Messages"; });

}  // namespace
}  // namespace weft::test

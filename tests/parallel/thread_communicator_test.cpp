#include "parallel/threads/thread_communicator.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/cpu_device.h"
#include "runtime/error.h"
#include "runtime/kernels/table.h"
#include "tests/parallel/collective_cases.h"

namespace weft::test {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string message_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

class ThreadRanks : public testing::TestWithParam<int> {};

TEST_P(ThreadRanks, EveryVerbGivesTheBitsOfSumsInRankOrder) {
  for (const CollectiveCase& what : all_cases()) {
    run_ranks(GetParam(), [&](Mesh& mesh) {
      CpuDevice device(reference_kernels());
      check_collectives(*mesh.dp, device, what);
    });
  }
}

TEST_P(ThreadRanks, TensorsMayBeOverwrittenAsSoonAsACallReturns) {
  run_ranks(GetParam(), [](Mesh& mesh) {
    CpuDevice device(reference_kernels());
    check_reuse(*mesh.dp, device, 200);
  });
}

INSTANTIATE_TEST_SUITE_P(Sizes, ThreadRanks, testing::Values(1, 2, 3, 4, 8));

TEST(ThreadCommunicatorTest, TheGridOfTwoByTwoSumsAlongEachAxis) {
  run_ranks(4, {.data = 2, .tensor = 2}, [](Mesh& mesh) {
    CpuDevice device(reference_kernels());
    const int rank = mesh.world->rank();
    EXPECT_EQ(mesh.dp->rank(), rank / 2);
    EXPECT_EQ(mesh.tp->rank(), rank % 2);
    const Memory memory = device.allocate(8, MemoryKind::kDevice);
    const Tensor x = memory.tensor({1}, DType::kFloat64);
    Stream& stream = device.stream(StreamKind::kCompute);
    *x.as<double>() = 1 << rank;
    mesh.tp->all_reduce(stream, x);
    EXPECT_EQ(*x.as<double>(), rank < 2 ? 3 : 12);
    *x.as<double>() = 1 << rank;
    mesh.dp->all_reduce(stream, x);
    EXPECT_EQ(*x.as<double>(), rank % 2 == 0 ? 5 : 10);
    check_collectives(*mesh.tp, device, {.count = 5});
    check_collectives(*mesh.dp, device, {.count = 5});
  });
}

TEST(ThreadCommunicatorTest, DifferentCallsAreNamedOnEveryRank) {
  run_ranks(3, [](Mesh& mesh) {
    CpuDevice device(reference_kernels());
    Stream& stream = device.stream(StreamKind::kCompute);
    const Memory memory = device.allocate(64, MemoryKind::kDevice);
    const Tensor x = memory.tensor({8}, DType::kFloat32);
    mesh.dp->barrier(stream);
    const std::string message = message_of([&] {
      if (mesh.dp->rank() == 2) return mesh.dp->broadcast(stream, x.rows(0, 4), 1);
      mesh.dp->all_reduce(stream, x);
    });
    EXPECT_THAT(message, AllOf(HasSubstr("dp: "), HasSubstr("rank 0    all_reduce #2, 32 bytes of float32"),
                               HasSubstr("rank 2    broadcast #2, 16 bytes of float32 from rank 1")));
    mesh.dp->all_reduce(stream, x);  // the group still works
  });
}

TEST(ThreadCommunicatorTest, SizesDtypesAndRootsMustAgree) {
  run_ranks(2, [](Mesh& mesh) {
    CpuDevice device(reference_kernels());
    Stream& stream = device.stream(StreamKind::kCompute);
    const Memory memory = device.allocate(64, MemoryKind::kDevice);
    const bool odd = mesh.dp->rank() == 1;
    EXPECT_THAT(message_of([&] { mesh.dp->all_reduce(stream, memory.tensor({odd ? 3 : 4}, DType::kFloat32)); }), HasSubstr("12 bytes"));
    const DType dtype = odd ? DType::kInt32 : DType::kFloat32;
    EXPECT_THAT(message_of([&] { mesh.dp->all_reduce(stream, memory.tensor({4}, dtype)); }), HasSubstr("int32"));
    EXPECT_THAT(message_of([&] { mesh.dp->broadcast(stream, memory.tensor({4}, DType::kInt32), odd ? 1 : 0); }), HasSubstr("from rank 1"));
  });
}

TEST(ThreadCommunicatorTest, TheFirstFailureReleasesTheOthersAndComesOut) {
  const std::string message = message_of([] {
    run_ranks(4, {.data = 2, .tensor = 2}, [](Mesh& mesh) {
      CpuDevice device(reference_kernels());
      if (mesh.world->rank() == 3) fail("a test's own failure");
      mesh.world->barrier(device.stream(StreamKind::kCompute));
    });
  });
  EXPECT_THAT(message, HasSubstr("a test's own failure"));
}

TEST(ThreadCommunicatorTest, WrongTensorsAreRefused) {
  run_ranks(2, [](Mesh& mesh) {
    CpuDevice device(reference_kernels());
    Stream& stream = device.stream(StreamKind::kCompute);
    const Memory memory = device.allocate(64, MemoryKind::kDevice);
    const Tensor x = memory.tensor({4, 4}, DType::kFloat32);
    EXPECT_THAT(message_of([&] { mesh.dp->all_reduce(stream, x.slice(1, 0, 2)); }), HasSubstr("not contiguous"));
    EXPECT_THAT(message_of([&] { mesh.dp->reduce_scatter(stream, x, x.rows(0, 1)); }), HasSubstr("is not 2 times"));
    EXPECT_THAT(message_of([&] { mesh.dp->broadcast(stream, x, 2); }), HasSubstr("root 2 of 2"));
    EXPECT_THAT(message_of([&] { mesh.dp->all_reduce(stream, memory.tensor({4}, DType::kUInt8)); }), HasSubstr("sums of uint8"));
  });
}

TEST(ThreadCommunicatorTest, ControlMovesBytesAndMaxima) {
  run_ranks(3, [](Mesh& mesh) {
    Control& control = *mesh.control;
    EXPECT_EQ(control.broadcast("from " + std::to_string(control.rank()), 2), "from 2");
    const std::vector<std::string> all = control.gather(std::string(static_cast<std::size_t>(control.rank()), 'x'), 1);
    EXPECT_EQ(all, control.rank() == 1 ? (std::vector<std::string>{"", "x", "xx"}) : std::vector<std::string>{});
    EXPECT_EQ(control.agree({control.rank(), -control.rank(), 7}), (std::vector<std::int64_t>{2, 0, 7}));
  });
}

TEST(GridTest, MustFitTheNumberOfRanks) {
  EXPECT_EQ(grid_of({.tensor = 2}, 8).data, 4);
  EXPECT_THAT(message_of([] { grid_of({.tensor = 3}, 8); }), HasSubstr("parallel.tensor: 3"));
  EXPECT_THAT(message_of([] { grid_of({.data = 3, .tensor = 2}, 8); }), HasSubstr("mpirun -n 6"));
}

}  // namespace
}  // namespace weft::test

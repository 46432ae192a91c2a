#include "launcher/supervise/hang.h"

#include <chrono>

#include <gmock/gmock.h>

#include "tests/launcher/supervise/supervisor_folder.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

class SupervisorHangTest : public SupervisorFolderTest {};

constexpr const char* kHeader = "# number group operation sequence bytes dtype start end\n";

TEST_F(SupervisorHangTest, ARankBehindTheOthersIsSuspected) {
  for (const int rank : {0, 1, 3}) {
    write(fmt::format("flight/rank-{}.txt", rank),
          std::string(kHeader) + "823 dp all_reduce 822 8 float64 1.5 1.6\n824 dp all_gather 823 64 float32 1.7 -\n");
  }
  write("flight/rank-2.txt", std::string(kHeader) + "823 dp all_reduce 822 8 float64 1.5 1.6\n");
  EXPECT_EQ(describe_hang(folder_.string(), 4, {}),
            "\n  suspect   rank 2: last in all_reduce #822 of dp, done\n  last      ranks 0 1 3: all_gather #823 of dp, entered");
}

/// Groups of tensor parallelism have other numbers of collectives.
TEST_F(SupervisorHangTest, ARankThatWaitsIsNotSuspectedForItsNumber) {
  for (const int rank : {0, 1}) {
    write(fmt::format("flight/rank-{}.txt", rank), std::string(kHeader) + "700 control agree 70 0 uint8 1.7 -\n");
  }
  write("flight/rank-2.txt", std::string(kHeader) + "823 tp all_reduce 500 64 float32 1.5 1.6\n");
  write("flight/rank-3.txt", std::string(kHeader) + "824 tp all_reduce 501 64 float32 1.7 -\n");
  EXPECT_THAT(describe_hang(folder_.string(), 4, {}), HasSubstr("\n  suspect   rank 2: last in all_reduce #500 of tp, done\n"));
}

TEST_F(SupervisorHangTest, ARankWithoutARecordOfThisHangIsSuspected) {
  write("flight/rank-0.txt", std::string(kHeader) + "824 dp all_gather 823 64 float32 1.7 -\n");
  EXPECT_EQ(describe_hang(folder_.string(), 3, {}),
            "\n  suspect   ranks 1 2: no flight record, so stopped, dead or cut off\n  last      rank 0: all_gather #823 of dp, entered");
  EXPECT_EQ(describe_hang(folder_.string(), 3, flight_times(folder_.string(), 3)), "");  // an old record says nothing
}

TEST_F(SupervisorHangTest, RanksThatAllWaitAreNotSuspected) {
  for (const int rank : {0, 1}) write(fmt::format("flight/rank-{}.txt", rank), std::string(kHeader) + "7 dp barrier 7 0 uint8 1.7 -\n");
  EXPECT_EQ(describe_hang(folder_.string(), 2, {}), "\n  last      ranks 0 1: barrier #7 of dp, entered");
}

TEST_F(SupervisorHangTest, WhenAllRanksOfTwoHostsWaitTheNetworkIsSuspected) {
  for (const int rank : {0, 1, 2}) {
    write(fmt::format("flight/rank-{}.txt", rank),
          fmt::format("{}7 dp barrier 7 0 uint8 1.7 -\n# host {}\n", kHeader, rank < 2 ? "node01" : "node02"));
  }
  EXPECT_EQ(describe_hang(folder_.string(), 3, {}),
            "\n  suspect   the network: every rank waits in a collective"
            "\n  last      ranks 0 1 2 (node01 node02): barrier #7 of dp, entered");
  // One rank of each host has got the last message that came through, the others have not.
  write("flight/rank-1.txt", std::string(kHeader) + "8 control agree 2 0 uint8 1.8 -\n# host node01\n");
  EXPECT_EQ(describe_hang(folder_.string(), 3, {}),
            "\n  suspect   the network: every rank waits in a collective"
            "\n  last      rank 1 (node01): agree #2 of control, entered"
            "\n  last      ranks 0 2 (node01 node02): barrier #7 of dp, entered");
  write("flight/rank-2.txt", std::string(kHeader) + "6 dp barrier 6 0 uint8 1.6 1.7\n# host node02\n");
  EXPECT_THAT(describe_hang(folder_.string(), 3, {}), HasSubstr("\n  suspect   rank 2 (node02): last in barrier #6 of dp, done\n"));
}

TEST_F(SupervisorHangTest, OnlyARecordThatIsNewSpeaksOfAHang) {
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

}  // namespace
}  // namespace weft::test

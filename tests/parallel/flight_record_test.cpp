#include "parallel/flight_record.h"

#include <fstream>
#include <sstream>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "runtime/error.h"
#include "tests/support/temporary_folder.h"

namespace weft::test {
namespace {

using testing::HasSubstr;
using testing::MatchesRegex;

std::vector<std::string> lines_of(const FlightRecord& record) {
  const TemporaryFolder folder;
  const std::string path = folder.path() + "/rank-0.txt";
  record.write(path);
  std::ifstream file(path);
  std::vector<std::string> lines;
  for (std::string line; std::getline(file, line);) lines.push_back(line);
  return lines;
}

Signature call(std::int64_t sequence) {
  return {.operation = Operation::kReduceScatter, .dtype = DType::kFloat32, .bytes = 26214400, .sequence = sequence};
}

TEST(FlightRecordTest, WritesEachCollectiveWithItsStartAndEnd) {
  FlightRecord record;
  EXPECT_EQ(record.last(), "none");
  const int world = record.add_group("world"), dp = record.add_group("dp");
  record.leave(record.enter(world, {.operation = Operation::kBarrier, .sequence = 1}));
  record.enter(dp, call(4));
  const std::vector<std::string> lines = lines_of(record);
  ASSERT_EQ(lines.size(), 3u);
  EXPECT_EQ(lines[0], "# number group operation sequence bytes dtype start end");
  EXPECT_THAT(lines[1], MatchesRegex("1 world barrier 1 0 uint8 [0-9]+\\.[0-9]+ [0-9]+\\.[0-9]+"));
  EXPECT_THAT(lines[2], MatchesRegex("2 dp reduce_scatter 4 26214400 float32 [0-9]+\\.[0-9]+ -"));
  EXPECT_EQ(record.last(), "reduce_scatter #4, 26214400 bytes of float32, dp, entered and not left");
}

TEST(FlightRecordTest, KeepsTheLast1024) {
  Progress progress;
  FlightRecord record(&progress);
  const int dp = record.add_group("dp");
  for (int i = 1; i <= 3000; ++i) record.leave(record.enter(dp, call(i)));
  EXPECT_EQ(progress.collective, 3000);
  const std::vector<std::string> lines = lines_of(record);
  ASSERT_EQ(lines.size(), 1025u);
  EXPECT_THAT(lines[1], HasSubstr("1977 dp reduce_scatter 1977 "));
  EXPECT_THAT(lines.back(), HasSubstr("3000 dp reduce_scatter 3000 "));
}

TEST(FlightRecordTest, MayBeReadWhileItIsWritten) {
  FlightRecord record;
  const int dp = record.add_group("dp");
  std::atomic<bool> done = false;
  std::thread watchdog([&] {
    while (!done) {
      for (const std::string& line : lines_of(record)) {
        // Number and sequence are equal here: a line made of two calls would show.
        std::istringstream words(line);
        std::string number, group, operation, sequence;
        words >> number >> group >> operation >> sequence;
        if (number != "#") {
          EXPECT_EQ(number, sequence);
        }
      }
    }
  });
  for (int i = 1; i <= 200000; ++i) record.leave(record.enter(dp, call(i)));
  done = true;
  watchdog.join();
}

TEST(FlightRecordTest, SaysWhereItCouldNotWrite) {
  const FlightRecord record;
  EXPECT_THROW(record.write("/nowhere/at/all.txt"), Error);
}

}  // namespace
}  // namespace weft::test

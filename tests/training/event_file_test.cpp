#include "training/log/event_file.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tests/support/temporary_folder.h"

namespace weft {
namespace {

TEST(Crc32cTest, GivesTheValuesOfRfc3720) {
  std::string rising(32, '\0');
  for (std::size_t i = 0; i < rising.size(); ++i) rising[i] = static_cast<char>(i);
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAu);
  EXPECT_EQ(crc32c(std::string(32, '\xFF')), 0x62A8AB43u);
  EXPECT_EQ(crc32c(rising), 0x46DD794Eu);
  EXPECT_EQ(crc32c("123456789"), 0xE3069283u);
}

template <class T>
T take(std::string& bytes) {
  T value;
  std::memcpy(&value, bytes.data(), sizeof(T));
  bytes.erase(0, sizeof(T));
  return value;
}

std::uint32_t masked(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

/// The bytes of the next record, both checksums compared.
std::string next_record(std::string& file) {
  const std::string length_bytes = file.substr(0, 8);
  const auto length = take<std::uint64_t>(file);
  EXPECT_EQ(take<std::uint32_t>(file), masked(length_bytes));
  std::string record = file.substr(0, length);
  file.erase(0, length);
  EXPECT_EQ(take<std::uint32_t>(file), masked(record));
  return record;
}

/// What event.proto says of: wall_time = 2.0, step 300; encoded by hand.
const std::string kTimeAndStep("\x09\0\0\0\0\0\0\0\x40\x10\xAC\x02", 12);

TEST(EventFileTest, HasAVersionAStartAndTheScalars) {
  const test::TemporaryFolder folder;
  EventFile events(folder.path());
  EXPECT_TRUE(events.path().empty());
  EXPECT_TRUE(events.add(2, 300, std::vector<Scalar>{{"train/loss", 0.5}, {"lr", -2}}));
  std::string file = test::read_text(events.path());
  EXPECT_EQ(next_record(file), std::string("\x09\0\0\0\0\0\0\0\x40\x10\0\x1A\x0D", 13) + "brain.Event:2");
  EXPECT_EQ(next_record(file), kTimeAndStep + "\x3A\x02\x08\x01");
  const std::string loss = std::string("\x0A\x0A") + "train/loss" + std::string("\x15\0\0\0\x3F", 5);
  const std::string rate = std::string("\x0A\x02") + "lr" + std::string("\x15\0\0\0\xC0", 5);
  EXPECT_EQ(next_record(file), kTimeAndStep + "\x2A\x1E" + "\x0A\x11" + loss + "\x0A\x09" + rate);
  EXPECT_EQ(file, "");
}

TEST(EventFileTest, AFolderThatIsNotThereIsSaidOnce) {
  EventFile events("/nonexistent");
  EXPECT_FALSE(events.add(1, 1, std::vector<Scalar>{{"a", 1}}));
  EXPECT_TRUE(events.add(1, 1, std::vector<Scalar>{{"a", 1}}));
}

}  // namespace
}  // namespace weft

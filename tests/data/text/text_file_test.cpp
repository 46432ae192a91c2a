#include "data/text/text_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <zlib.h>

#include "runtime/error.h"
#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

std::int64_t count_lines(const std::string& path) {
  LineReader reader(path);
  for (std::string line; reader.next(line);) {
  }
  return reader.number();
}

std::vector<std::string> lines_of(const std::string& path) {
  LineReader reader(path);
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  EXPECT_EQ(reader.number(), static_cast<std::int64_t>(lines.size()));
  return lines;
}

TEST(LineReaderTest, OnlyALineFeedEndsALine) {
  const TextFolder folder;
  const std::string separators =
      "a\rz\nb\xE2\x80\xA8"
      "c\xC2\x85"
      "d\x0b\x0c"
      "e\n\nlast";
  EXPECT_THAT(lines_of(folder.write("text", separators)), ElementsAre("a\rz",
                                                                      "b\xE2\x80\xA8"
                                                                      "c\xC2\x85"
                                                                      "d\x0b\x0c"
                                                                      "e",
                                                                      "", "last"));
}

TEST(LineReaderTest, AMissingLineFeedAtTheEndIsFineAndAnEmptyFileHasNoLines) {
  const TextFolder folder;
  EXPECT_THAT(lines_of(folder.write("with", "a\nb\n")), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of(folder.write("without", "a\nb")), ElementsAre("a", "b"));
  EXPECT_THAT(lines_of(folder.write("empty", "")), ElementsAre());
  EXPECT_EQ(count_lines(folder.write("blank", "\n\n\n")), 3);
}

TEST(LineReaderTest, OneCarriageReturnAtTheEndOfALineIsRemovedAndCounted) {
  const TextFolder folder;
  LineReader reader(folder.write("text", "a\r\nb\n\r\nc\r\r\nlast\r"));
  std::vector<std::string> lines;
  for (std::string line; reader.next(line);) lines.push_back(line);
  EXPECT_THAT(lines, ElementsAre("a", "b", "", "c\r", "last"));
  EXPECT_EQ(reader.carriage_returns(), 4);
}

TEST(LineReaderTest, LinesLongerThanTheBufferComeWhole) {
  const TextFolder folder;
  const std::string one(700'000, 'x'), two(300'001, 'y');
  EXPECT_THAT(lines_of(folder.write("text", one + "\n" + two + "\nz")), ElementsAre(one, two, "z"));
}

TEST(LineReaderTest, ALineBeyondTheLimitIsCutBetweenCharactersAndTheNextOneIsRight) {
  const TextFolder folder;
  std::string umlauts = "x";  // so that the limit falls inside a character
  while (umlauts.size() < static_cast<std::size_t>(kMaxLineBytes) + 1000) umlauts += "ü";
  LineReader reader(folder.write("text", umlauts + "\nnext\n"));
  std::string line;
  ASSERT_TRUE(reader.next(line));
  EXPECT_TRUE(reader.truncated());
  EXPECT_EQ(line.size(), static_cast<std::size_t>(kMaxLineBytes) - 1);
  EXPECT_EQ(line, umlauts.substr(0, line.size()));
  ASSERT_TRUE(reader.next(line));
  EXPECT_FALSE(reader.truncated());
  EXPECT_EQ(line, "next");
}

std::string gzip(const TextFolder& folder, const std::string& text) {
  const std::string path = folder.path("text.gz");
  gzFile file = gzopen(path.c_str(), "wb");
  EXPECT_EQ(gzwrite(file, text.data(), static_cast<unsigned>(text.size())), static_cast<int>(text.size()));
  gzclose(file);
  return path;
}

TEST(LineReaderTest, ReadsGzipAndRefusesItWhenCutShort) {
  const TextFolder folder;
  std::string text;
  for (int i = 0; i < 20000; ++i) text += std::to_string(i * 7919 % 104729) + "\n";
  const std::string path = gzip(folder, text);
  EXPECT_EQ(count_lines(path), 20000);
  const std::string bytes = folder.read("text.gz");
  folder.write("short.gz", bytes.substr(0, bytes.size() / 2));
  EXPECT_THAT([&] { count_lines(folder.path("short.gz")); },
              testing::ThrowsMessage<Error>(HasSubstr("short.gz: cannot be read after line")));
}

TEST(LineReaderTest, WhatIsNoGzipBehindAGzipStreamIsAnError) {
  const TextFolder folder;
  std::string text;
  for (int i = 0; i < 100000; ++i) text += "line " + std::to_string(i * 7919 % 100003) + "\n";
  gzip(folder, text);
  const std::string whole = folder.read("text.gz");
  folder.write("twice.gz", whole + whole);
  EXPECT_EQ(count_lines(folder.path("twice.gz")), 200000);
  folder.write("mixed.gz", whole + text);
  EXPECT_THAT([&] { count_lines(folder.path("mixed.gz")); },
              testing::ThrowsMessage<Error>(HasSubstr("mixed.gz: the gzip data end after line 100000")));
}

TEST(LineReaderTest, EveryBeginningOfAGzipFileAndEveryDamagedByteBehindItsHeaderIsAnError) {
  const TextFolder folder;
  std::string text;
  for (int i = 0; i < 40; ++i) text += std::to_string(i * 7919 % 104729) + "\n";
  gzip(folder, text);
  const std::string bytes = folder.read("text.gz");
  for (std::size_t length = 2; length < bytes.size(); ++length) {  // one byte is not yet gzip
    folder.write("damaged.gz", bytes.substr(0, length));
    EXPECT_THAT([&] { count_lines(folder.path("damaged.gz")); }, testing::ThrowsMessage<Error>(HasSubstr("damaged.gz: cannot be read")))
        << length;
  }
  for (std::size_t at = 10; at < bytes.size(); ++at) {
    std::string damaged = bytes;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x01);  // a bit that is not padding
    folder.write("damaged.gz", damaged);
    EXPECT_THAT([&] { count_lines(folder.path("damaged.gz")); }, testing::ThrowsMessage<Error>(HasSubstr("damaged.gz: cannot be read")))
        << at;
  }
}

TEST(LineReaderTest, APipeIsRefusedAndDoesNotHang) {
  const TextFolder folder;
  ASSERT_EQ(mkfifo(folder.path("pipe").c_str(), 0600), 0);
  EXPECT_THAT([&] { LineReader reader(folder.path("pipe")); }, testing::ThrowsMessage<Error>(HasSubstr("pipe: is a pipe or a device")));
  EXPECT_THAT([&] { read_whole_file(folder.path("pipe")); }, testing::ThrowsMessage<Error>(HasSubstr("pipe: is a pipe or a device")));
}

TEST(LineReaderTest, MissingFilesAndDirectoriesAreMistakesOfTheUser) {
  const TextFolder folder;
  try {
    LineReader reader(folder.path("missing"));
    FAIL() << "a missing file was opened";
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ExitCode::kBadInput);
    EXPECT_THAT(error.what(), HasSubstr("missing: cannot be read: No such file or directory"));
  }
  EXPECT_THAT([&] { LineReader reader(folder.path("")); },
              testing::ThrowsMessage<Error>(HasSubstr("is a directory, expected a text file")));
}

TEST(LineReaderTest, AByteOrderMarkIsNoTextAndOtherPackersAreNamed) {
  const TextFolder folder;
  LineReader reader(folder.write("marked",
                                 "\xEF\xBB\xBF"
                                 "a\n\xEF\xBB\xBF"
                                 "b\n"));
  std::string line;
  reader.next(line);
  EXPECT_EQ(line, "a");
  reader.next(line);
  EXPECT_EQ(line,
            "\xEF\xBB\xBF"
            "b");
  EXPECT_THAT(
      [&] {
        LineReader(folder.write("text.xz", std::string("\xFD"
                                                       "7zXZ\0\0\4",
                                                       8)));
      },
      testing::ThrowsMessage<Error>(HasSubstr("text.xz: a file packed by xz\n  expected  plain text or gzip")));
  EXPECT_THAT(
      [&] {
        LineReader(folder.write("text.zst",
                                "\x28\xB5\x2F\xFD"
                                "abcd"));
      },
      testing::ThrowsMessage<Error>(HasSubstr("packed by zstd")));
}

}  // namespace
}  // namespace weft::test

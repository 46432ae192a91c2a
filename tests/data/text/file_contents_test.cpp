#include "data/text/file_contents.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/data/prepare/text_folder.h"

namespace weft::test {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(FileContentsTest, AFileIsReadAgainOnlyWhenItsSizeOrTimesChange) {
  const TextFolder folder;
  const std::string path = folder.write("text", "one\n"), memory = folder.path("memory");
  usleep(2'100'000);  // a file of this moment could change without another time
  FileContents first(memory);
  const Json content = first.of(path);
  EXPECT_EQ(content.at("bytes").as_int(), 4);
  EXPECT_EQ(first.of(path), content);
  EXPECT_THAT(first.take_read(), ElementsAre(path));
  first.save();
  FileContents later(memory);
  EXPECT_EQ(later.of(path), content);
  EXPECT_THAT(later.take_read(), IsEmpty());
  folder.write("text", "two\n");
  EXPECT_NE(later.of(path), content);
  EXPECT_THAT(later.take_read(), ElementsAre(path));
  folder.write("memory", "no JSON");
  FileContents lost(memory);
  lost.of(path);
  EXPECT_THAT(lost.take_read(), ElementsAre(path));
}

TEST(FileContentsTest, AFileOfThisMomentIsNotTrusted) {
  const TextFolder folder;
  const std::string path = folder.write("text", "one\n");
  FileContents contents(folder.path("memory"));
  const Json content = contents.of(path);
  folder.write("text", "two\n");
  EXPECT_NE(contents.of(path), content);
}

}  // namespace
}  // namespace weft::test

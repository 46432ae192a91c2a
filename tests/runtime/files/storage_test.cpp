#include "runtime/files/storage.h"

#include <cerrno>
#include <filesystem>
#include <functional>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tests/support/temporary_folder.h"

namespace weft {
namespace {

using test::TemporaryFolder;

int errno_of(const std::function<void()>& call) {
  try {
    call();
  } catch (const StorageError& error) {
    EXPECT_EQ(error.code(), ExitCode::kStorage);
    return error.error_number();
  }
  return 0;
}

mode_t mode_of(const std::string& path) {
  struct stat status;
  EXPECT_EQ(::stat(path.c_str(), &status), 0) << path;
  return status.st_mode & 0777;
}

class StorageTest : public testing::Test {
 protected:
  void create(const std::string& path, std::string_view text) {
    const auto file = storage_->create(path);
    file->write(std::as_bytes(std::span(text)));
    file->sync();
    file->close();
  }
  TemporaryFolder folder_;
  std::unique_ptr<Storage> storage_ = make_posix_storage();
};

TEST_F(StorageTest, WritesAndReadsBack) {
  const std::string path = folder_.file("a");
  create(path, "hello");
  EXPECT_EQ(mode_of(path), 0600u);
  const auto file = storage_->open(path);
  EXPECT_EQ(file->size(), 5);
  std::string text(3, ' ');
  file->read(1, std::as_writable_bytes(std::span(text)));
  EXPECT_EQ(text, "ell");
  EXPECT_EQ(read_file(*storage_, path, 5), "hello");
  EXPECT_THROW(read_file(*storage_, path, 4), Error);
  EXPECT_EQ(errno_of([&] { file->read(3, std::as_writable_bytes(std::span(text))); }), EIO);
}

TEST_F(StorageTest, NothingIsOverwritten) {
  create(folder_.file("a"), "first");
  EXPECT_EQ(errno_of([&] { storage_->create(folder_.file("a")); }), EEXIST);
  storage_->create_folder(folder_.file("d"));
  EXPECT_EQ(mode_of(folder_.file("d")), 0700u);
  EXPECT_EQ(errno_of([&] { storage_->create_folder(folder_.file("d")); }), EEXIST);
  storage_->create_folder(folder_.file("e"));
  create(folder_.file("e/x"), "x");
  EXPECT_EQ(errno_of([&] { storage_->rename(folder_.file("d"), folder_.file("e")); }), ENOTEMPTY);
}

TEST_F(StorageTest, ErrorsNameTheCallThePathAndTheCause) {
  try {
    storage_->open(folder_.file("missing"));
    FAIL();
  } catch (const StorageError& error) {
    EXPECT_EQ(std::string(error.what()), "open " + folder_.file("missing") + ": No such file or directory (2)");
  }
}

TEST_F(StorageTest, ListsNamesInOrderAndDoesNotFollowLinks) {
  create(folder_.file("b"), "");
  storage_->create_folder(folder_.file("c"));
  std::filesystem::create_directory_symlink(folder_.file("c"), folder_.file("a"));
  const std::vector<Storage::Entry> entries = storage_->list(folder_.path());
  ASSERT_EQ(entries.size(), 3u);
  EXPECT_EQ(entries[0].name, "a");
  EXPECT_FALSE(entries[0].is_folder);
  EXPECT_FALSE(entries[1].is_folder);
  EXPECT_TRUE(entries[2].is_folder);
}

TEST_F(StorageTest, OpensRegularFilesOnly) {
  create(folder_.file("a"), "secret");
  std::filesystem::create_symlink(folder_.file("a"), folder_.file("link"));
  EXPECT_EQ(errno_of([&] { storage_->open(folder_.file("link")); }), ELOOP);
  ASSERT_EQ(::mkfifo(folder_.file("fifo").c_str(), 0600), 0);
  EXPECT_EQ(errno_of([&] { storage_->open(folder_.file("fifo")); }), EINVAL);
  EXPECT_EQ(errno_of([&] { storage_->open(folder_.path()); }), EINVAL);
  EXPECT_EQ(errno_of([&] { storage_->open("/dev/zero"); }), EINVAL);
}

TEST_F(StorageTest, RemovesATreeButNotWhatALinkPointsTo) {
  create(folder_.file("kept"), "kept");
  storage_->create_folder(folder_.file("t"));
  storage_->create_folder(folder_.file("t/sub"));
  create(folder_.file("t/sub/f"), "x");
  std::filesystem::create_symlink(folder_.file("kept"), folder_.file("t/link"));
  std::filesystem::create_directory_symlink(folder_.path(), folder_.file("t/up"));
  remove_tree(*storage_, folder_.file("t"));
  EXPECT_FALSE(std::filesystem::exists(folder_.file("t")));
  EXPECT_EQ(test::read_text(folder_.file("kept")), "kept");
}

TEST_F(StorageTest, KnowsBareNames) {
  for (const std::string name : {"a", "...", "weights-00000-of-00001.safetensors"}) EXPECT_TRUE(is_bare_name(name)) << name;
  for (const std::string& name : {std::string(), std::string("."), std::string(".."), std::string("/etc/passwd"), std::string("a/b"),
                                  std::string("../a"), std::string("a\0b", 3)}) {
    EXPECT_FALSE(is_bare_name(name)) << name;
  }
}

TEST_F(StorageTest, KnowsTheFreeSpace) {
  EXPECT_GT(storage_->free_bytes(folder_.path()), 1 << 20);
}

}  // namespace
}  // namespace weft

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <limits>

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "runtime/files/storage.h"

namespace weft {
namespace {

constexpr int kStaleRetries = 3;  // NFS: a handle may be stale once after another host renamed

[[noreturn]] void fail_with_errno(const std::string& operation, const std::string& path) {
  throw StorageError(operation, path, errno);
}

void check(int result, const std::string& operation, const std::string& path) {
  if (result != 0) fail_with_errno(operation, path);
}

int open_retrying(const std::string& path, int flags, mode_t mode = 0) {
  int descriptor;
  int stale = 0;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && (errno == EINTR || (errno == ESTALE && ++stale <= kStaleRetries)));
  return descriptor;
}

class PosixWritableFile : public WritableFile {
 public:
  PosixWritableFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixWritableFile() override {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  void write(std::span<const std::byte> bytes) override {
    while (!bytes.empty()) {
      const ssize_t written = ::write(descriptor_, bytes.data(), bytes.size());
      if (written < 0 && errno == EINTR) continue;
      if (written < 0) fail_with_errno("write", path_);
      bytes = bytes.subspan(static_cast<std::size_t>(written));
    }
  }
  void sync() override {
    int result;
    do {
      result = ::fsync(descriptor_);
    } while (result != 0 && errno == EINTR);
    check(result, "fsync", path_);
  }
  void close() override {
    const int descriptor = descriptor_;
    descriptor_ = -1;  // Linux has let go of it even when close fails: closing again could hit another thread's file
    check(::close(descriptor), "close", path_);
  }

 private:
  int descriptor_;
  std::string path_;
};

class PosixReadableFile : public ReadableFile {
 public:
  PosixReadableFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0) {
      const int error = errno;
      ::close(descriptor_);
      throw StorageError("stat", path_, error);
    }
    if (!S_ISREG(status.st_mode)) {  // a device or FIFO must not be read from
      ::close(descriptor_);
      throw StorageError("open (not a regular file)", path_, EINVAL);
    }
    size_ = status.st_size;
  }
  ~PosixReadableFile() override { ::close(descriptor_); }
  std::int64_t size() const override { return size_; }
  void read(std::int64_t offset, std::span<std::byte> out) override {
    while (!out.empty()) {
      const ssize_t got = ::pread(descriptor_, out.data(), out.size(), offset);
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) fail_with_errno("read", path_);
      if (got == 0) throw StorageError("read (the file is too short)", path_, EIO);
      out = out.subspan(static_cast<std::size_t>(got));
      offset += got;
    }
  }

 private:
  int descriptor_;
  std::string path_;
  std::int64_t size_ = 0;
};

class PosixStorage : public Storage {
 public:
  std::unique_ptr<WritableFile> create(const std::string& path) override {
    const int descriptor = open_retrying(path, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0600);
    if (descriptor < 0) fail_with_errno("create", path);
    return std::make_unique<PosixWritableFile>(descriptor, path);
  }
  std::unique_ptr<ReadableFile> open(const std::string& path) override {
    const int descriptor = open_retrying(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);  // O_NONBLOCK: a FIFO must not hang the open
    if (descriptor < 0) fail_with_errno("open", path);
    return std::make_unique<PosixReadableFile>(descriptor, path);
  }
  void rename(const std::string& from, const std::string& to) override { check(std::rename(from.c_str(), to.c_str()), "rename", from); }
  void remove_file(const std::string& path) override { check(::unlink(path.c_str()), "remove", path); }
  void remove_folder(const std::string& path) override { check(::rmdir(path.c_str()), "remove folder", path); }
  void create_folder(const std::string& path) override { check(::mkdir(path.c_str(), 0700), "create folder", path); }

  std::vector<Entry> list(const std::string& folder) override {
    DIR* stream = ::opendir(folder.c_str());
    if (stream == nullptr) fail_with_errno("list", folder);
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, ::closedir);
    std::vector<Entry> entries;
    while (true) {
      errno = 0;
      const dirent* found = ::readdir(stream);
      if (found == nullptr) break;
      const std::string name = found->d_name;
      if (name == "." || name == "..") continue;
      struct stat status;  // not d_type: some file systems leave it unknown
      if (::fstatat(::dirfd(stream), name.c_str(), &status, AT_SYMLINK_NOFOLLOW) != 0) {
        if (errno == ENOENT) continue;  // gone meanwhile
        fail_with_errno("stat", folder + "/" + name);
      }
      entries.push_back({name, S_ISDIR(status.st_mode)});
    }
    if (errno != 0) fail_with_errno("list", folder);
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.name < b.name; });
    return entries;
  }

  void sync_folder(const std::string& path) override {
    const int descriptor = open_retrying(path, O_RDONLY | O_DIRECTORY);
    if (descriptor < 0) fail_with_errno("open folder", path);
    const int result = ::fsync(descriptor);
    const int error = errno;
    ::close(descriptor);
    if (result != 0) throw StorageError("fsync folder", path, error);
  }

  std::int64_t free_bytes(const std::string& folder) override {
    struct statvfs status;
    check(::statvfs(folder.c_str(), &status), "statvfs", folder);
    std::int64_t bytes;
    if (__builtin_mul_overflow(status.f_bavail, status.f_frsize, &bytes)) return std::numeric_limits<std::int64_t>::max();
    return bytes;
  }
};

}  // namespace

std::unique_ptr<Storage> make_posix_storage() {
  return std::make_unique<PosixStorage>();
}

}  // namespace weft

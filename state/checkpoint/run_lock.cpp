#include "state/checkpoint/run_lock.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fstream>

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include "runtime/error.h"
#include "runtime/files/storage.h"
#include "runtime/host_name.h"

namespace weft {
namespace {

/// Tells two boots of one host apart: a process number alone may have come again.
std::string boot_id() {
  std::ifstream file("/proc/sys/kernel/random/boot_id");
  std::string id;
  std::getline(file, id);
  return id.empty() ? "unknown" : id;
}

std::string read_holder(int descriptor) {
  std::array<char, 512> text{};
  const ssize_t bytes = ::pread(descriptor, text.data(), text.size(), 0);
  std::string holder(text.data(), bytes > 0 ? static_cast<std::size_t>(bytes) : 0);
  while (!holder.empty() && holder.back() == '\n') holder.pop_back();
  return holder.empty() ? "unknown" : holder;
}

/// What the file says is for people: a disk that is full must not keep a run from starting, so a failed write is no error.
void write_holder(int descriptor) {
  const std::string text = fmt::format("host {} pid {} boot {}\n", host_name(), ::getpid(), boot_id());
  if (::ftruncate(descriptor, 0) != 0) return;
  [[maybe_unused]] const ssize_t written = ::pwrite(descriptor, text.data(), text.size(), 0);
}

}  // namespace

RunLock::RunLock(const std::string& run_dir, Without without) {
  const std::string path = run_dir + "/.lock";
  descriptor_ = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor_ < 0) throw StorageError("open", path, errno);
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  if (::fcntl(descriptor_, F_OFD_SETLK, &lock) != 0) {
    const int error = errno;
    const std::string holder = read_holder(descriptor_);
    ::close(descriptor_);
    if (error == EAGAIN || error == EACCES) {
      fail_input(fmt::format("{}: is in use\n  held by   {}\n  expected  a folder of its own for each job", run_dir, holder));
    }
    descriptor_ = -1;
    if (without == Without::kGoOn) return;
    fail_input(
        fmt::format("run_dir: {} is on a file system without locks: {} ({})\n  expected  one with them, so that two jobs cannot "
                    "share a run directory",
                    run_dir, std::strerror(error), error));
  }
  write_holder(descriptor_);
}

RunLock::~RunLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace weft

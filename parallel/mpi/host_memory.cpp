#include "parallel/mpi/host_memory.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <random>

#include <fmt/format.h>

namespace weft {
namespace {

using FileName = std::array<char, 64>;

/// 0, or the errno of the first call that failed.
class Descriptor {
 public:
  explicit Descriptor(int fd) : fd_(fd), error_(fd < 0 ? errno : 0) {}
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  int get() const { return fd_; }
  int error() const { return error_; }

 private:
  int fd_, error_;
};

FileName new_name() {
  std::random_device random;
  FileName name{};
  fmt::format_to_n(name.data(), name.size() - 1, "/weft-{}-{:08x}{:08x}", getpid(), random(), random());
  return name;
}

int reserve_segment(int fd, std::int64_t begin, std::int64_t bytes) {
  int error = EINTR;
  while (error == EINTR) error = posix_fallocate(fd, begin, bytes);
  return error;
}

}  // namespace

HostMemory::HostMemory(std::byte* base, std::int64_t segment_bytes, int ranks) : base_(base), bytes_(segment_bytes * ranks) {
  for (int rank = 0; rank < ranks; ++rank) segments_.push_back(base + rank * segment_bytes);
}

HostMemory::~HostMemory() {
  munmap(base_, static_cast<std::size_t>(bytes_));
}

std::shared_ptr<HostMemory> HostMemory::map(const MpiGroup& host, std::int64_t bytes, std::string& cause) {
  constexpr std::int64_t kPage = 4096;
  const std::int64_t segment = std::max<std::int64_t>(1, (bytes + kPage - 1) / kPage) * kPage, all = segment * host.size();
  FileName name{};
  if (host.rank() == 0) name = new_name();
  // The first rank makes the file before the others learn its name.
  std::unique_ptr<Descriptor> file;
  if (host.rank() == 0) file = std::make_unique<Descriptor>(shm_open(name.data(), O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600));
  host.broadcast(reinterpret_cast<std::byte*>(name.data()), static_cast<std::int64_t>(name.size()), 0);
  if (host.rank() != 0) file = std::make_unique<Descriptor>(shm_open(name.data(), O_RDWR | O_CLOEXEC, 0));
  std::int64_t error = file->error();
  void* base = MAP_FAILED;
  host.maximum({&error, 1});  // now all have opened it, and the name goes before a kill could leave memory under it
  if (host.rank() == 0) shm_unlink(name.data());
  if (error == 0) error = reserve_segment(file->get(), host.rank() * segment, segment);
  host.maximum({&error, 1});  // now the file has its whole length, or nobody maps it
  if (error == 0) {
    base = mmap(nullptr, static_cast<std::size_t>(all), PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0);
    if (base == MAP_FAILED) error = errno;
  }
  host.maximum({&error, 1});
  if (error == 0) return std::shared_ptr<HostMemory>(new HostMemory(static_cast<std::byte*>(base), segment, host.size()));
  if (base != MAP_FAILED) munmap(base, static_cast<std::size_t>(all));
  cause = fmt::format("{} bytes in /dev/shm: {}", all, std::strerror(static_cast<int>(error)));
  return nullptr;
}

}  // namespace weft

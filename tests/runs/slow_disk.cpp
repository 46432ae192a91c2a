// Preloaded by slow_disk_test.sh: the first call SLOW_CALL (write or fsync) of rank SLOW_RANK for a file of tensors takes SLOW_DISK
// seconds.
#include <dlfcn.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace {

std::string_view variable(const char* name, const char* otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : value;
}

bool holds_tensors(int file) {
  std::array<char, 32> link{};
  std::array<char, 4096> path{};
  std::snprintf(link.data(), link.size(), "/proc/self/fd/%d", file);
  const ssize_t length = readlink(link.data(), path.data(), path.size());
  return length > 0 && std::string_view(path.data(), static_cast<std::size_t>(length)).ends_with(".safetensors");
}

void wait_once(std::string_view call, int file) {
  static const bool is_slow = variable("OMPI_COMM_WORLD_RANK", "0") == variable("SLOW_RANK", "0");
  static std::atomic<bool> waited = false;
  if (!is_slow || call != variable("SLOW_CALL", "write") || !holds_tensors(file) || waited.exchange(true)) return;
  usleep(static_cast<useconds_t>(std::atof(std::getenv("SLOW_DISK")) * 1e6));
}

}  // namespace

extern "C" ssize_t write(int file, const void* bytes, size_t count) {
  static const auto next = reinterpret_cast<ssize_t (*)(int, const void*, size_t)>(dlsym(RTLD_NEXT, "write"));
  wait_once("write", file);
  return next(file, bytes, count);
}

extern "C" int fsync(int file) {
  static const auto next = reinterpret_cast<int (*)(int)>(dlsym(RTLD_NEXT, "fsync"));
  wait_once("fsync", file);
  return next(file);
}

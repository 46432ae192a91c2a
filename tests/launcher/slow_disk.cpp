// Preloaded by slow_disk_test.sh: the first write of rank SLOW_RANK to a file of tensors takes SLOW_DISK seconds.
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

}  // namespace

extern "C" ssize_t write(int file, const void* bytes, size_t count) {
  using Write = ssize_t (*)(int, const void*, size_t);
  static const auto next = reinterpret_cast<Write>(dlsym(RTLD_NEXT, "write"));
  static std::atomic<bool> waited = false;
  static const bool is_slow = variable("OMPI_COMM_WORLD_RANK", "0") == variable("SLOW_RANK", "0");
  if (is_slow && holds_tensors(file) && !waited.exchange(true)) usleep(static_cast<useconds_t>(std::atof(std::getenv("SLOW_DISK")) * 1e6));
  return next(file, bytes, count);
}

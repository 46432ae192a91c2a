#include "parallel/flight_record.h"

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdio>
#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

std::int64_t now_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch()).count();
}

std::string seconds(std::int64_t ns) {
  return ns == 0 ? "-" : fmt::format("{}.{:06d}", ns / 1'000'000'000, ns % 1'000'000'000 / 1000);
}

}  // namespace

FlightRecord::FlightRecord(Progress* progress) : entries_(std::make_unique<std::array<Entry, kCapacity>>()), progress_(progress) {}

int FlightRecord::add_group(std::string_view name) {
  const std::lock_guard lock(names_mutex_);
  names_.emplace_back(name);
  return static_cast<int>(names_.size()) - 1;
}

std::int64_t FlightRecord::enter(int group, const Signature& signature) {
  const std::int64_t number = next_.load(std::memory_order_relaxed);
  Entry& e = entry(number);
  // In this order: a reader who sees a new field also sees that the number is gone.
  e.number.store(0, std::memory_order_release);
  e.sequence.store(signature.sequence, std::memory_order_release);
  e.bytes.store(signature.bytes, std::memory_order_release);
  e.root.store(signature.root, std::memory_order_release);
  e.start_ns.store(now_ns(), std::memory_order_release);
  e.end_ns.store(0, std::memory_order_release);
  e.group.store(group, std::memory_order_release);
  e.operation.store(signature.operation, std::memory_order_release);
  e.dtype.store(signature.dtype, std::memory_order_release);
  e.number.store(number, std::memory_order_release);
  next_.store(number + 1, std::memory_order_release);
  if (progress_ != nullptr) progress_->collective.fetch_add(1, std::memory_order_relaxed);
  return number;
}

void FlightRecord::leave(std::int64_t number) {
  entry(number).end_ns.store(now_ns(), std::memory_order_release);
}

bool FlightRecord::read(std::int64_t number, Line& line) const {
  const Entry& e = entry(number);
  if (e.number.load(std::memory_order_acquire) != number) return false;
  line.number = number;
  line.start_ns = e.start_ns.load(std::memory_order_acquire);
  line.end_ns = e.end_ns.load(std::memory_order_acquire);
  line.signature = {.operation = e.operation.load(std::memory_order_acquire),
                    .dtype = e.dtype.load(std::memory_order_acquire),
                    .bytes = e.bytes.load(std::memory_order_acquire),
                    .root = e.root.load(std::memory_order_acquire),
                    .sequence = e.sequence.load(std::memory_order_acquire)};
  const int group = e.group.load(std::memory_order_acquire);
  if (e.number.load(std::memory_order_acquire) != number) return false;  // overwritten in between
  const std::lock_guard lock(names_mutex_);
  line.group = names_.at(static_cast<std::size_t>(group));
  return true;
}

std::string FlightRecord::last() const {
  Line line;
  if (entered() == 0 || !read(entered(), line)) return "none";
  return fmt::format("{}, {}, {}", describe(line.signature), line.group, line.end_ns == 0 ? "entered and not left" : "done");
}

void FlightRecord::write(const std::string& path) const {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(path.c_str(), "w"), std::fclose);
  if (!file) fail(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  std::string text = "# number group operation sequence bytes dtype start end\n";
  const std::int64_t newest = entered();
  for (std::int64_t number = std::max<std::int64_t>(1, newest - kCapacity + 1); number <= newest; ++number) {
    Line line;
    if (!read(number, line)) continue;
    const Signature& s = line.signature;
    text += fmt::format("{} {} {} {} {} {} {} {}\n", number, line.group, name(s.operation), s.sequence, s.bytes, name(s.dtype),
                        seconds(line.start_ns), seconds(line.end_ns));
  }
  if (std::fwrite(text.data(), 1, text.size(), file.get()) != text.size() || std::fflush(file.get()) != 0) {
    fail(fmt::format("{}: cannot be written: {}", path, std::strerror(errno)));
  }
}

}  // namespace weft

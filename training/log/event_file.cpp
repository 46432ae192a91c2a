#include "training/log/event_file.h"

#include <unistd.h>

#include <array>
#include <bit>
#include <cmath>

#include <fmt/format.h>

#include "runtime/host_name.h"

namespace weft {
namespace {

static_assert(std::endian::native == std::endian::little, "event files are little-endian");

constexpr std::array<std::uint32_t, 256> make_crc_table() {
  std::array<std::uint32_t, 256> table{};
  for (std::uint32_t byte = 0; byte < table.size(); ++byte) {
    std::uint32_t crc = byte;
    for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1) ^ ((crc & 1) != 0 ? 0x82F63B78u : 0u);
    table[byte] = crc;
  }
  return table;
}

constexpr std::array<std::uint32_t, 256> kCrcTable = make_crc_table();

/// TFRecord stores checksums rotated, since a checksum of bytes that hold their own checksum would be weak.
std::uint32_t masked_crc(std::string_view bytes) {
  const std::uint32_t crc = crc32c(bytes);
  return ((crc >> 15) | (crc << 17)) + 0xA282EAD8u;
}

template <class T>
std::string raw(T value) {
  return {reinterpret_cast<const char*>(&value), sizeof(value)};
}

// The wire format of protocol buffers: a field is its number and kind, then a varint, 4 or 8 bytes, or a length and bytes.

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes += static_cast<char>(value | 0x80);
  return bytes + static_cast<char>(value);
}

std::string tag(int field, int kind) {
  return varint(static_cast<std::uint64_t>(field * 8 + kind));
}

std::string integer(int field, std::int64_t value) {
  return tag(field, 0) + varint(static_cast<std::uint64_t>(value));
}

std::string bytes(int field, std::string_view value) {
  return tag(field, 2) + varint(value.size()) + std::string(value);
}

/// Event: wall_time = 1, step = 2, file_version = 3, summary = 5, session_log = 7.
std::string event(double seconds, std::int64_t step, const std::string& content) {
  return tag(1, 1) + raw(seconds) + integer(2, step) + content;
}

/// Summary.Value: tag = 1, simple_value = 2, a float.
std::string summary_value(const Scalar& scalar) {
  return bytes(1, bytes(1, scalar.first) + tag(2, 5) + raw(static_cast<float>(scalar.second)));
}

}  // namespace

std::uint32_t crc32c(std::string_view bytes) {
  std::uint32_t crc = 0xFFFFFFFFu;
  for (const char byte : bytes) crc = kCrcTable[(crc ^ static_cast<unsigned char>(byte)) & 0xFFu] ^ (crc >> 8);
  return ~crc;
}

bool EventFile::add(double seconds, std::int64_t step, std::span<const Scalar> scalars) {
  if (given_up_) return true;
  if (path_.empty()) open(seconds, step);
  std::string summary;
  for (const Scalar& scalar : scalars) summary += summary_value(scalar);
  write(event(seconds, step, bytes(5, summary)));
  file_.flush();
  given_up_ = !file_;
  return !given_up_;
}

void EventFile::open(double seconds, std::int64_t step) {
  constexpr std::int64_t kStart = 1;
  path_ = folder_ / fmt::format("events.out.tfevents.{}.{}.{}", std::llround(seconds), host_name(), ::getpid());
  file_.open(path_, std::ios::binary | std::ios::app);
  write(event(seconds, 0, bytes(3, "brain.Event:2")));
  write(event(seconds, step, bytes(7, integer(1, kStart))));
}

void EventFile::write(std::string_view event) {
  const std::string length = raw(static_cast<std::uint64_t>(event.size()));
  file_ << length << raw(masked_crc(length)) << event << raw(masked_crc(event));
}

}  // namespace weft

#pragma once
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace weft {

/// A number that TensorBoard draws over the steps; names with the same part before `/` are shown together.
using Scalar = std::pair<std::string, double>;

/// What TensorBoard reads: FOLDER/events.out.tfevents.SECONDS.HOST.PID, made with the first scalar. A record is
///   length (uint64), masked CRC-32C of it, that many bytes, masked CRC-32C of them        all little-endian (TFRecord)
/// and its bytes are one Event of TensorFlow's event.proto. The first is the version, the second the start of a session at a step: of an
/// earlier run, what lies at later steps is forgotten. A file that cannot be written is given up: `add` returns false once and does nothing
/// afterwards.
class EventFile {
 public:
  explicit EventFile(std::filesystem::path folder) : folder_(std::move(folder)) {}

  /// Flushed at once. `seconds` since 1970.
  bool add(double seconds, std::int64_t step, std::span<const Scalar> scalars);
  /// Empty before the first scalar.
  const std::filesystem::path& path() const { return path_; }

 private:
  void open(double seconds, std::int64_t step);
  void write(std::string_view event);

  std::filesystem::path folder_, path_;
  std::ofstream file_;
  bool given_up_ = false;
};

/// CRC-32C (Castagnoli), reflected polynomial 0x82F63B78; RFC 3720 B.4 has its test values.
std::uint32_t crc32c(std::string_view bytes);

}  // namespace weft

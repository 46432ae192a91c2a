#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "runtime/device.h"
#include "runtime/files/storage.h"
#include "runtime/tensor.h"

namespace weft {

/// safetensors: the length of the header in 8 bytes (little-endian), the header as JSON, then the data of all tensors, one after another.
/// Format: https://huggingface.co/docs/safetensors. A file has no checksum; a checkpoint's manifest does.
struct SafetensorsEntry {
  std::string name;  // [A-Za-z0-9._/-], at most 255 bytes, unique
  DType dtype = DType::kFloat32;
  Shape shape;
  std::int64_t offset = 0;  // of the first byte in the file
  std::int64_t bytes() const { return shape.elements() * size_of(dtype); }
};
using SafetensorsMetadata = std::vector<std::pair<std::string, std::string>>;

/// Reads a file that may come from anywhere. All is checked before any memory of that size is taken: the header at most 100 MB, names,
/// dtypes (BF16, F64, F32, I64, I32, U8), shapes of at most 4 dims whose product fits the length, offsets inside the file, without holes or
/// overlap, the last one its end. What does not hold fails with exit 64 and the file's name.
class SafetensorsFile {
 public:
  SafetensorsFile(Storage&, const std::string& path);

  const std::string& path() const { return path_; }
  const std::vector<SafetensorsEntry>& tensors() const { return tensors_; }  // in the order of the data
  const SafetensorsMetadata& metadata() const { return metadata_; }          // __metadata__, in its order
  std::int64_t file_bytes() const { return file_->size(); }
  std::int64_t header_bytes() const { return header_bytes_; }  // where the data begin
  /// nullptr when there is none of that name.
  const SafetensorsEntry* find(std::string_view name) const;
  /// The same, but fails and names the file when there is none.
  const SafetensorsEntry& at(std::string_view name) const;
  /// A metadata value; empty when there is none.
  std::string metadata(std::string_view key) const;
  /// `out.size()` bytes of a tensor, from its byte `begin` on. Data are little-endian, as is every host that Weft runs on.
  void read(const SafetensorsEntry&, std::int64_t begin, std::span<std::byte> out) const;
  /// The same by the place in the file, for readers that keep their own table.
  void read_at(std::int64_t offset, std::span<std::byte> out) const { file_->read(offset, out); }
  /// A whole tensor into contiguous host memory of its dtype and shape.
  void read(std::string_view name, Tensor out) const;

 private:
  void parse(std::string_view header);

  std::string path_;
  std::unique_ptr<ReadableFile> file_;
  std::int64_t header_bytes_ = 0;
  std::vector<SafetensorsEntry> tensors_;
  std::vector<std::size_t> by_name_;  // indices of tensors_, sorted by name
  SafetensorsMetadata metadata_;
};

/// Streams a file: the header is written at once, then `write` takes the data of all tensors in order, cut in any way.
class SafetensorsWriter {
 public:
  /// Creates `path`. Offsets in `tensors` are ignored and assigned in order.
  SafetensorsWriter(Storage&, const std::string& path, std::vector<SafetensorsEntry> tensors, const SafetensorsMetadata& = {});

  const std::vector<SafetensorsEntry>& tensors() const { return tensors_; }  // with their offsets
  const std::string& header() const { return header_; }                      // all bytes before the data
  std::int64_t file_bytes() const { return file_bytes_; }
  void write(std::span<const std::byte>);
  /// Syncs and closes; fails unless exactly all data were written.
  void finish();

 private:
  std::string path_;
  std::vector<SafetensorsEntry> tensors_;
  std::string header_;
  std::int64_t file_bytes_ = 0;
  std::int64_t written_ = 0;
  std::unique_ptr<WritableFile> file_;
};

/// [A-Za-z0-9._/-], 1 to 255 bytes.
bool is_tensor_name(std::string_view name);
/// F32, BF16, ...
std::string_view safetensors_name(DType);

}  // namespace weft

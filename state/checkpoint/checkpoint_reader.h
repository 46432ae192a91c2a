#pragma once
#include <span>
#include <string>
#include <vector>

#include "runtime/files/safetensors.h"
#include "runtime/files/storage.h"
#include "state/checkpoint/manifest.h"

namespace weft {

/// A committed checkpoint, read by name and box whatever layout wrote it. Opening checks the manifest, every file's length, and every
/// header against its checksum and against the manifest; each chunk is checked when it is read. Whatever does not hold fails with exit 77,
/// naming the folder and what was found.
class CheckpointReader {
 public:
  CheckpointReader(Storage&, const std::string& folder);

  const std::string& folder() const { return folder_; }
  const Manifest& manifest() const { return manifest_; }
  /// Every chunk whose number, counted over all boxes, is `share` modulo `shares`: the ranks check a checkpoint together.
  void verify(int share = 0, int shares = 1) const;
  /// Every chunk of one tensor.
  void verify(const StoredTensor&) const;
  /// `box` of a tensor of the manifest, row by row, into `out`, which has exactly its bytes.
  void read(const StoredTensor&, const Box& box, std::span<std::byte> out) const;

 private:
  void open_files(Storage&);
  void check_headers() const;
  std::span<const std::byte> read_chunk(const StoredTensor&, const StoredBox&, std::size_t chunk, std::span<std::byte> buffer) const;

  std::string folder_;
  Manifest manifest_;
  std::vector<SafetensorsFile> files_;
};

/// What `inspect` shows.
struct CheckpointSummary {
  Manifest manifest;   // empty when it cannot be read
  std::string damage;  // empty: every chunk is as its checksum says
};
CheckpointSummary inspect_checkpoint(Storage&, const std::string& folder);

}  // namespace weft

#include "state/checkpoint/manifest.h"

#include <algorithm>
#include <set>
#include <tuple>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/files/safetensors.h"
#include "runtime/files/storage.h"
#include "state/boxes.h"

namespace weft {
namespace {

void check_files(const std::vector<CheckpointFile>& files) {
  std::set<std::string> names;
  for (const CheckpointFile& file : files) {
    if (!is_bare_name(file.name) || !is_tensor_name(file.name)) {
      fail_input(fmt::format("file \"{}\": expected a bare name", file.name.substr(0, 255)));
    }
    if (!names.insert(file.name).second) fail_input(fmt::format("file {} is named twice", file.name));
    if (file.header_bytes < 8 || file.bytes < file.header_bytes) {
      fail_input(fmt::format("file {}: {} bytes with a header of {}", file.name, file.bytes, file.header_bytes));
    }
  }
}

void check_box(const StoredTensor& tensor, const StoredBox& stored, const std::vector<CheckpointFile>& files) {
  const Box& box = stored.box;
  if (box.begin.dims() != tensor.shape.dims() || box.size.dims() != tensor.shape.dims()) {
    fail_input(fmt::format("tensor {}: a box of other dims", tensor.name));
  }
  for (int d = 0; d < tensor.shape.dims(); ++d) {
    if (box.size[d] > tensor.shape[d] || box.begin[d] > tensor.shape[d] - box.size[d]) {
      fail_input(fmt::format("tensor {}: box {} is outside {}", tensor.name, to_string(box), to_string(tensor.shape)));
    }
  }
  if (stored.file < 0 || stored.file >= static_cast<std::int64_t>(files.size())) {
    fail_input(fmt::format("tensor {}: file number {} of {}", tensor.name, stored.file, files.size()));
  }
  const CheckpointFile& file = files[static_cast<std::size_t>(stored.file)];
  const std::int64_t bytes = tensor.bytes(stored);
  if (stored.offset < file.header_bytes || stored.offset > file.bytes || bytes > file.bytes - stored.offset) {
    fail_input(fmt::format("tensor {}: bytes {} + {} are outside the data of {}", tensor.name, stored.offset, bytes, file.name));
  }
  const std::int64_t chunks = bytes / kChunkBytes + (bytes % kChunkBytes != 0);
  if (chunks != static_cast<std::int64_t>(stored.chunks.size())) {
    fail_input(fmt::format("tensor {}: {} checksums for {} bytes, expected {}", tensor.name, stored.chunks.size(), bytes, chunks));
  }
}

/// Boxes that share nothing and have as many elements as the tensor cover it. Sorted by their first row, a box need only be compared with
/// those that begin before it ends.
void check_cover(const StoredTensor& tensor) {
  std::vector<const Box*> boxes;
  for (const StoredBox& stored : tensor.boxes) boxes.push_back(&stored.box);
  std::sort(boxes.begin(), boxes.end(), [](const Box* a, const Box* b) { return a->begin[0] < b->begin[0]; });
  std::int64_t covered = 0;
  for (std::size_t i = 0; i < boxes.size(); ++i) {
    if (__builtin_add_overflow(covered, elements(*boxes[i]), &covered)) fail_input(fmt::format("tensor {}: too many boxes", tensor.name));
    for (std::size_t j = i + 1; j < boxes.size() && boxes[j]->begin[0] < boxes[i]->begin[0] + boxes[i]->size[0]; ++j) {
      if (intersection(*boxes[i], *boxes[j])) {
        fail_input(fmt::format("tensor {}: boxes {} and {} overlap", tensor.name, to_string(*boxes[i]), to_string(*boxes[j])));
      }
    }
  }
  if (covered != tensor.shape.elements()) {
    fail_input(fmt::format("tensor {}: its boxes hold {} elements, expected {}", tensor.name, covered, tensor.shape.elements()));
  }
}

/// Every byte after a file's header belongs to one box.
void check_no_holes(const Manifest& manifest) {
  struct Piece {
    std::int64_t file, offset, bytes;
    bool operator<(const Piece& other) const { return std::tie(file, offset, bytes) < std::tie(other.file, other.offset, other.bytes); }
  };
  std::vector<Piece> pieces;
  for (const StoredTensor& tensor : manifest.tensors) {
    for (const StoredBox& stored : tensor.boxes) pieces.push_back({stored.file, stored.offset, tensor.bytes(stored)});
  }
  std::sort(pieces.begin(), pieces.end());
  std::size_t next = 0;
  for (std::size_t f = 0; f < manifest.files.size(); ++f) {
    const CheckpointFile& file = manifest.files[f];
    std::int64_t end = file.header_bytes;
    for (; next < pieces.size() && pieces[next].file == static_cast<std::int64_t>(f); ++next) {
      if (pieces[next].offset != end) {
        fail_input(fmt::format("file {}: a box begins at byte {}, expected {}", file.name, pieces[next].offset, end));
      }
      end += pieces[next].bytes;
    }
    if (end != file.bytes) fail_input(fmt::format("file {}: its boxes end at byte {}, the file at {}", file.name, end, file.bytes));
  }
}

}  // namespace

void check_manifest(const Manifest& manifest) {
  if (manifest.step < 0) fail_input(fmt::format("step {}", manifest.step));
  check_files(manifest.files);
  std::set<std::string_view> names;
  for (const StoredTensor& tensor : manifest.tensors) {
    if (!is_tensor_name(tensor.name)) fail_input(fmt::format("tensor \"{}\": not a tensor name", tensor.name.substr(0, 255)));
    if (!names.insert(tensor.name).second) fail_input(fmt::format("tensor {} is named twice", tensor.name));
    for (const StoredBox& stored : tensor.boxes) check_box(tensor, stored, manifest.files);
    check_cover(tensor);
  }
  check_no_holes(manifest);
}

}  // namespace weft

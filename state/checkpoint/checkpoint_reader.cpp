#include "state/checkpoint/checkpoint_reader.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"
#include "state/boxes.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

constexpr std::int64_t kMaxManifestBytes = std::int64_t{256} << 20;

[[noreturn]] void fail_damaged(const std::string& folder, const std::string& what) {
  throw Error(ExitCode::kNoCheckpoint, what.starts_with(folder) ? what : fmt::format("{}: {}", folder, what));
}

std::string last_component(const std::string& path) {
  const std::size_t end = path.find_last_not_of('/');
  const std::size_t slash = path.find_last_of('/', end);
  return path.substr(slash == std::string::npos ? 0 : slash + 1, end - (slash == std::string::npos ? 0 : slash + 1) + 1);
}

/// The bytes of a file's header, by which the manifest knows it.
Checksum header_checksum(Storage& storage, const std::string& path, std::int64_t bytes) {
  std::vector<std::byte> header(static_cast<std::size_t>(bytes));
  storage.open(path)->read(0, header);
  return checksum(std::span<const std::byte>(header));
}

}  // namespace

CheckpointReader::CheckpointReader(Storage& storage, const std::string& folder) : folder_(folder) {
  try {
    const std::string path = folder + "/manifest.json";
    manifest_ = parse_manifest(read_file(storage, path, kMaxManifestBytes), path);
    const auto step = parse_step_folder(last_component(folder));
    if (step && *step != manifest_.step) fail_input(fmt::format("its manifest is of step {}", manifest_.step));
    open_files(storage);
    check_headers();
  } catch (const Error& error) {
    fail_damaged(folder_, error.what());
  }
}

void CheckpointReader::open_files(Storage& storage) {
  for (const CheckpointFile& file : manifest_.files) {
    const std::string path = folder_ + "/" + file.name;
    files_.emplace_back(storage, path);
    const SafetensorsFile& opened = files_.back();
    if (opened.file_bytes() != file.bytes) fail_input(fmt::format("{}: {} bytes, expected {}", path, opened.file_bytes(), file.bytes));
    if (opened.header_bytes() != file.header_bytes) {
      fail_input(fmt::format("{}: a header of {} bytes, expected {}", path, opened.header_bytes(), file.header_bytes));
    }
    const Checksum found = header_checksum(storage, path, file.header_bytes);
    if (found != file.header_checksum) {
      fail_input(fmt::format("{}: header checksum {}, expected {}", path, found.hex(), file.header_checksum.hex()));
    }
  }
}

/// Names, dtypes and shapes stand in the manifest and in the files: a manifest that calls a tensor by another's name does not fit.
void CheckpointReader::check_headers() const {
  for (const StoredTensor& tensor : manifest_.tensors) {
    for (const StoredBox& stored : tensor.boxes) {
      if (elements(stored.box) == 0) continue;
      const SafetensorsFile& file = files_[static_cast<std::size_t>(stored.file)];
      const std::vector<SafetensorsEntry>& entries = file.tensors();
      const auto after = std::upper_bound(entries.begin(), entries.end(), stored.offset,
                                          [](std::int64_t offset, const SafetensorsEntry& entry) { return offset < entry.offset; });
      const SafetensorsEntry* entry = after == entries.begin() ? nullptr : &*(after - 1);
      const bool fits = entry != nullptr && entry->offset == stored.offset && entry->dtype == tensor.dtype &&
                        entry->shape == stored.box.size && (entry->name == tensor.name || entry->name.starts_with(tensor.name + "/box"));
      if (!fits) {
        fail_input(fmt::format("{}: tensor {}: the file's header does not have box {} at byte {}", file.path(), tensor.name,
                               to_string(stored.box), stored.offset));
      }
    }
  }
}

std::span<const std::byte> CheckpointReader::read_chunk(const StoredTensor& tensor, const StoredBox& stored, std::size_t chunk,
                                                        std::span<std::byte> buffer) const {
  const SafetensorsFile& file = files_[static_cast<std::size_t>(stored.file)];
  const std::int64_t begin = static_cast<std::int64_t>(chunk) * kChunkBytes;
  const std::int64_t bytes = std::min(kChunkBytes, tensor.bytes(stored) - begin);
  const std::span<std::byte> out = buffer.first(static_cast<std::size_t>(bytes));
  file.read_at(stored.offset + begin, out);
  const Checksum found = checksum(std::span<const std::byte>(out));
  if (found != stored.chunks[chunk]) {
    fail_damaged(folder_, fmt::format("{}: tensor {}: bytes {} to {} have checksum {}, expected {}", file.path(), tensor.name,
                                      stored.offset + begin, stored.offset + begin + bytes, found.hex(), stored.chunks[chunk].hex()));
  }
  return out;
}

void CheckpointReader::verify(int share, int shares) const {
  std::vector<std::byte> buffer(static_cast<std::size_t>(kChunkBytes));
  std::int64_t number = 0;
  try {
    for (const StoredTensor& tensor : manifest_.tensors) {
      for (const StoredBox& stored : tensor.boxes) {
        for (std::size_t chunk = 0; chunk < stored.chunks.size(); ++chunk) {
          if (number++ % shares == share) read_chunk(tensor, stored, chunk, buffer);
        }
      }
    }
  } catch (const StorageError& error) {
    fail_damaged(folder_, error.what());
  }
}

void CheckpointReader::verify(const StoredTensor& tensor) const {
  std::vector<std::byte> buffer(static_cast<std::size_t>(kChunkBytes));
  try {
    for (const StoredBox& stored : tensor.boxes) {
      for (std::size_t chunk = 0; chunk < stored.chunks.size(); ++chunk) read_chunk(tensor, stored, chunk, buffer);
    }
  } catch (const StorageError& error) {
    fail_damaged(folder_, error.what());
  }
}

void CheckpointReader::read(const StoredTensor& tensor, const Box& box, std::span<std::byte> out) const {
  std::vector<std::byte> buffer(static_cast<std::size_t>(kChunkBytes));
  const std::int64_t element_bytes = size_of(tensor.dtype), step = kChunkBytes / element_bytes;
  try {
    for (const StoredBox& stored : tensor.boxes) {
      for (std::size_t chunk = 0; chunk < stored.chunks.size(); ++chunk) {
        const std::int64_t first = static_cast<std::int64_t>(chunk) * step;
        const std::vector<Box> covered = boxes_of_range(stored.box, first, std::min(first + step, elements(stored.box)));
        if (std::none_of(covered.begin(), covered.end(), [&](const Box& one) { return intersection(one, box).has_value(); })) continue;
        const std::span<const std::byte> run = read_chunk(tensor, stored, chunk, buffer);
        copy_overlap({.from = stored.box, .first = first, .run = run, .to = box, .out = out, .element_bytes = element_bytes});
      }
    }
  } catch (const StorageError& error) {
    fail_damaged(folder_, error.what());
  }
}

CheckpointSummary inspect_checkpoint(Storage& storage, const std::string& folder) {
  CheckpointSummary summary;
  try {
    const CheckpointReader reader(storage, folder);
    summary.manifest = reader.manifest();
    reader.verify();
  } catch (const Error& error) {
    summary.damage = error.what();
  }
  return summary;
}

}  // namespace weft

#include "state/checkpoint/copy_weights.h"

#include <algorithm>

#include "runtime/files/safetensors.h"
#include "state/boxes.h"
#include "state/checkpoint/load_checkpoint.h"

namespace weft {
namespace {

/// A weight, and the tensor its values are taken from.
struct Copy {
  std::string name;
  const StoredTensor* from;
};

std::vector<Copy> copies_of(const Manifest& manifest) {
  std::vector<Copy> weights, averages;
  for (const StoredTensor& tensor : manifest.tensors) {
    if (is_moment(tensor.name)) continue;
    weights.push_back({tensor.name, &tensor});
    if (const StoredTensor* average = manifest.find("ema." + tensor.name)) averages.push_back({tensor.name, average});
  }
  return averages.size() == weights.size() ? averages : weights;
}

}  // namespace

Inventory copy_weights(const CheckpointReader& reader, Storage& storage, const std::string& folder) {
  const std::vector<Copy> copies = copies_of(reader.manifest());
  std::vector<SafetensorsEntry> entries;
  for (const Copy& copy : copies) entries.push_back({copy.name, copy.from->dtype, copy.from->shape});
  SafetensorsWriter writer(storage, folder + "/" + kModelFile, entries);
  Inventory inventory;
  inventory.files.push_back(
      {kModelFile, writer.file_bytes(), static_cast<std::int64_t>(writer.header().size()), checksum(std::string_view(writer.header()))});
  for (std::size_t i = 0; i < copies.size(); ++i) {
    const StoredTensor& from = *copies[i].from;
    const Box whole = whole_box(from.shape);
    std::vector<std::byte> bytes(static_cast<std::size_t>(writer.tensors()[i].bytes()));
    reader.read(from, whole, bytes);
    StoredBox box{.box = whole, .file = 0, .offset = writer.tensors()[i].offset, .chunks = {}};
    for (std::size_t begin = 0; begin < bytes.size(); begin += static_cast<std::size_t>(kChunkBytes)) {
      const auto chunk =
          std::span<const std::byte>(bytes).subspan(begin, std::min(bytes.size() - begin, static_cast<std::size_t>(kChunkBytes)));
      box.chunks.push_back(checksum(chunk));
      writer.write(chunk);
    }
    inventory.tensors.push_back({copies[i].name, from.dtype, from.shape, {std::move(box)}});
  }
  writer.finish();
  return inventory;
}

}  // namespace weft

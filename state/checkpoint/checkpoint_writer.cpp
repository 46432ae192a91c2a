#include "state/checkpoint/checkpoint_writer.h"

#include <algorithm>
#include <memory>
#include <unordered_map>

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/files/safetensors.h"

namespace weft {
namespace {

std::string file_name(FileKind kind, const WriterRank& rank) {
  return fmt::format("{}-{:05}-of-{:05}.safetensors", kind == FileKind::kWeights ? "weights" : "optimizer", rank.rank, rank.world_size);
}

/// A tensor that is whole keeps its name; boxes of one tensor are told apart by a number.
std::vector<SafetensorsEntry> file_entries(const std::vector<const StateBox*>& boxes) {
  std::unordered_map<std::string, int> counts;
  std::vector<SafetensorsEntry> entries;
  for (const StateBox* state : boxes) {
    const bool whole = same_box(state->box, whole_box(state->shape));
    const std::string name = whole ? state->name : fmt::format("{}/box{}", state->name, counts[state->name]++);
    entries.push_back({name, state->data.dtype, state->box.size});
  }
  return entries;
}

StoredTensor& tensor_of(Inventory& inventory, std::unordered_map<std::string, std::size_t>& places, const StateBox& state) {
  const auto [place, is_new] = places.emplace(state.name, inventory.tensors.size());
  if (is_new) inventory.tensors.push_back({state.name, state.data.dtype, state.shape, {}});
  return inventory.tensors[place->second];
}

std::vector<Checksum> write_box(const WriteJob& job, SafetensorsWriter& file, const Tensor& data) {
  std::vector<Checksum> chunks;
  const std::int64_t step = kChunkBytes / size_of(data.dtype);
  for (std::int64_t begin = 0; begin < data.size(0); begin += step) {
    const Tensor part = data.rows(begin, std::min(step, data.size(0) - begin));
    const Tensor host(job.buffer.data, part.shape, part.dtype);
    job.device.copy(job.stream, host, part);
    job.stream.synchronize();
    const std::span<const std::byte> bytes(host.data, static_cast<std::size_t>(host.bytes()));
    chunks.push_back(checksum(bytes));
    file.write(bytes);
  }
  return chunks;
}

std::vector<const StateBox*> of_kind(const std::vector<StateBox>& boxes, FileKind kind) {
  std::vector<const StateBox*> chosen;
  for (const StateBox& state : boxes) {
    if (state.kind == kind) chosen.push_back(&state);
  }
  return chosen;
}

}  // namespace

std::int64_t Inventory::bytes() const {
  std::int64_t sum = 0;
  for (const CheckpointFile& file : files) sum += file.bytes;
  return sum;
}

Inventory write_checkpoint_files(const WriteJob& job) {
  Inventory inventory;
  std::unordered_map<std::string, std::size_t> places;
  std::vector<std::unique_ptr<SafetensorsWriter>> writers;
  for (const FileKind kind : {FileKind::kWeights, FileKind::kOptimizer}) {
    const std::vector<const StateBox*> boxes = of_kind(job.boxes, kind);
    if (boxes.empty()) continue;  // plain SGD has nothing beside the weights
    const std::string name = file_name(kind, job.rank);
    const auto file_number = static_cast<std::int64_t>(inventory.files.size());
    writers.push_back(std::make_unique<SafetensorsWriter>(job.storage, job.folder + "/" + name, file_entries(boxes)));
    SafetensorsWriter& writer = *writers.back();
    inventory.files.push_back(
        {name, writer.file_bytes(), static_cast<std::int64_t>(writer.header().size()), checksum(std::string_view(writer.header()))});
    for (std::size_t i = 0; i < boxes.size(); ++i) {
      StoredTensor& tensor = tensor_of(inventory, places, *boxes[i]);
      tensor.boxes.push_back({boxes[i]->box, file_number, writer.tensors()[i].offset, write_box(job, writer, boxes[i]->data)});
    }
  }
  job.when_read();
  for (const auto& writer : writers) writer->finish();
  return inventory;
}

}  // namespace weft

#pragma once
#include <functional>
#include <string>
#include <vector>

#include "runtime/device.h"
#include "runtime/files/storage.h"
#include "state/checkpoint/manifest.h"
#include "state/checkpoint/state_boxes.h"

namespace weft {

/// Which files a rank writes: weights-RANK-of-RANKS.safetensors, optimizer-RANK-of-RANKS.safetensors.
struct WriterRank {
  int rank = 0;  // in the whole job: numbers of two hosts never meet
  int world_size = 1;
};

/// What a rank has written. Boxes name files by their index in `files`.
struct Inventory {
  std::vector<CheckpointFile> files;
  std::vector<StoredTensor> tensors;
  std::int64_t bytes() const;
};

/// Writes one rank's boxes, chunk by chunk from the live state through `buffer` (kChunkBytes of pinned host memory): wait for the copy,
/// checksum, write. A fault between memory and disk shows against that checksum. Files are synced and closed. `when_read` is called once
/// all has been read, before the last sync. Runs on the writer thread; fails on the first error.
struct WriteJob {
  Storage& storage;
  std::string folder;
  WriterRank rank;
  std::vector<StateBox> boxes;
  Device& device;
  Stream& stream;  // for copies
  Tensor buffer;   // (kChunkBytes) uint8
  std::function<void()> when_read;
};
Inventory write_checkpoint_files(const WriteJob&);

}  // namespace weft

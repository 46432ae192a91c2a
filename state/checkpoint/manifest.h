#pragma once
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "runtime/dtype.h"
#include "runtime/files/checksum.h"
#include "runtime/files/json.h"

namespace weft {

inline constexpr std::int64_t kChunkBytes = std::int64_t{1} << 20;  // every box is checksummed in pieces of this size

/// A safetensors file of a checkpoint. Its name is a bare name: it cannot lead out of the folder.
struct CheckpointFile {
  std::string name;
  std::int64_t bytes = 0;
  std::int64_t header_bytes = 0;
  Checksum header_checksum;
};

/// A region of a tensor and where its elements lie, row by row.
struct StoredBox {
  Box box;
  std::int64_t file = 0;         // index into Manifest::files
  std::int64_t offset = 0;       // of its first byte in the file
  std::vector<Checksum> chunks;  // of each kChunkBytes; the last one may be shorter
};

struct StoredTensor {
  std::string name;  // a weight by its own name, a moment as exp_avg.NAME, ema.NAME ...
  DType dtype = DType::kFloat32;
  Shape shape;  // of the whole tensor
  std::vector<StoredBox> boxes;
  std::int64_t bytes(const StoredBox& stored) const { return stored.box.size.elements() * size_of(dtype); }
  Checksum checksum() const;  // of the chunks of all boxes, in order
};

/// What was the same for every checkpoint of a run, as the caller gives it: stored and handed back, not looked into.
struct RunIdentity {
  std::uint64_t seed = 0;
  Json layout;          // {"world": 4, "data": 2, "tensor": 2, ...}
  Json fingerprints;    // of corpus, vocabulary, model
  Json chosen;          // what `auto` chose, to be reused
  std::string config;   // the effective configuration, as text
  std::string version;  // of the code
};

/// manifest.json: all that a checkpoint is. Written last, guarded by its own checksum.
struct Manifest {
  static constexpr std::int64_t kFormat = 1;
  std::int64_t step = 0;
  RunIdentity run;
  Json run_state;  // of training at that step
  std::vector<CheckpointFile> files;
  std::vector<StoredTensor> tensors;

  const StoredTensor* find(std::string_view name) const;
  std::int64_t bytes() const;  // of all files
};

std::string manifest_text(const Manifest&);
/// Refuses (exit 64, naming `where`) whatever does not hold: its checksum, duplicate or missing keys, names, dtypes, shapes, boxes that
/// leave a tensor, overlap or do not cover it, files with holes. What it accepts describes every byte of every file once.
Manifest parse_manifest(std::string_view text, const std::string& where);

/// Whether the numbers of a manifest fit together, whatever its checksum says; fails with exit 64 as parse_manifest does.
void check_manifest(const Manifest&);

/// The files and tensors of one rank, as it reports them to rank 0; file numbers count from `first_file` when read.
Json inventory_json(const std::vector<CheckpointFile>&, const std::vector<StoredTensor>&);
/// Appends one rank's files and boxes; the boxes of a tensor that is there already are added to it.
void merge_inventory(Manifest&, const Json& inventory);

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "data/batch_share.h"
#include "data/dataset.h"
#include "runtime/device.h"
#include "runtime/rows.h"

namespace weft {

/// How large a batch is on both sides. A batch of these sizes always has the same layout in memory.
struct BatchExtent {
  std::int64_t sequences = 0;
  std::int64_t source_rows = 0, target_rows = 0;
  std::int64_t max_source_length = 0, max_target_length = 0;
};

/// Every extent at its largest: `micro_batch_rows` rows on each side, as many sequences, sentences of `max_length`.
BatchExtent capacity_extent(std::int64_t micro_batch_rows, std::int64_t max_source_length, std::int64_t max_target_length);

/// Bytes of one block that holds a batch; never falls when an extent grows.
std::int64_t batch_bytes(const BatchExtent&);
/// The batch over a block; touches no memory, so the addresses may be made up (the dry run). Fails when the block is too small.
Batch view_batch(const Memory&, const BatchExtent&);
/// The same over a block that is a tensor of bytes.
Batch view_batch(Tensor block, const BatchExtent&);

/// One sequence that becomes rows.
struct RowSource {
  std::span<const std::int32_t> tokens;
  std::int64_t number = 0;  // of its sample within the update
  std::int32_t first = -1;  // not negative: the rows are shifted by one, this id first and the last token left out (what a decoder reads)
};
/// Fills tokens, positions, sample, begin, length and by_token; the tensors have the sizes of the sequences and are host memory. An id
/// outside 0 .. vocab_size - 1 is an error.
void fill_rows(const Rows&, std::span<const RowSource>, std::int64_t vocab_size);

BatchExtent extent_of(const BatchPart&);
/// Builds one part in host memory: source rows end in eos, the decoder reads bos and the target, labels are the target and eos, weights 1.
/// An empty part becomes one pair of empty sentences with weight 0, so every number stays finite and its gradients are exact zeros. `host`
/// must hold batch_bytes(extent_of(part)).
Batch build_batch(const Dataset&, const BatchPart&, const Memory& host);

/// Host and device memory of a batch up to an extent, filled and copied again and again.
class BatchBuffer {
 public:
  BatchBuffer(Device&, const BatchExtent& capacity);
  /// Enqueues the copy; the batch is valid on `stream`, and the part must not be loaded again before it is done.
  const Batch& load(Device&, Stream&, const Dataset&, const BatchPart&);
  const Batch& batch() const { return batch_; }

 private:
  Memory host_, device_memory_;
  Batch batch_;
};

}  // namespace weft

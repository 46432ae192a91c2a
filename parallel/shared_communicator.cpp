#include "parallel/shared_communicator.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "parallel/collective_shapes.h"
#include "parallel/sums.h"
#include "runtime/error.h"

namespace weft {
SharedCommunicator::SharedCommunicator(SharedArea area, std::string name, std::shared_ptr<FlightRecord> record)
    : area_(std::move(area)),
      name_(std::move(name)),
      record_(std::move(record)),
      group_(record_->add_group(name_)),
      signatures_(static_cast<std::size_t>(area_.size)),
      reached_(static_cast<std::size_t>(area_.size)) {}

std::int64_t SharedCommunicator::add_window(std::vector<std::uintptr_t> bases, std::int64_t bytes) {
  (*windows_)[next_window_] = {std::move(bases), bytes};
  return next_window_++;
}

Signature SharedCommunicator::next(Operation operation, DType dtype, std::int64_t bytes, int root) {
  return {.operation = operation, .dtype = dtype, .bytes = bytes, .root = root, .sequence = ++sequence_};
}

void SharedCommunicator::enter(const Signature& signature, const std::byte* data, std::int64_t bytes) {
  SharedArea::Slot& mine = slots()[area_.rank];
  mine = {.signature = signature, .window = -1};
  for (const auto& [number, window] : *windows_) {
    const std::uintptr_t base = window.bases[static_cast<std::size_t>(area_.rank)], at = reinterpret_cast<std::uintptr_t>(data);
    const bool inside = at >= base && at - base <= static_cast<std::uintptr_t>(window.bytes - bytes) && bytes <= window.bytes;
    if (inside) mine.window = number, mine.offset = static_cast<std::int64_t>(at - base);
  }
  control_barrier().wait(area_.size, area_.failed);
  for (int rank = 0; rank < area_.size; ++rank) signatures_[static_cast<std::size_t>(rank)] = slots()[rank].signature;
  const bool same = std::all_of(signatures_.begin(), signatures_.end(), [&](const Signature& other) { return other == signature; });
  if (same) return;
  wait();  // until all have read what they will name
  require_same_signature(name_, signatures_);
}

bool SharedCommunicator::reach_all() {
  for (int rank = 0; rank < area_.size; ++rank) {
    const SharedArea::Slot& slot = slots()[rank];
    const auto window = windows_->find(slot.window);
    if (window == windows_->end()) return false;
    const std::uintptr_t at = window->second.bases[static_cast<std::size_t>(rank)] + static_cast<std::uintptr_t>(slot.offset);
    // The window of threads begins at address 0, where pointers have no arithmetic. NOLINTNEXTLINE(performance-no-int-to-ptr)
    reached_[static_cast<std::size_t>(rank)] = reinterpret_cast<std::byte*>(at);
  }
  return true;
}

void SharedCommunicator::all_reduce(Stream&, Tensor x) {
  require_contiguous("all_reduce", x);
  const Signature signature = next(Operation::kAllReduce, x.dtype, x.bytes());
  const RecordedCall call(*record_, group_, signature);
  enter(signature, x.data, x.bytes());
  if (x.bytes() == 0) return wait();
  if (!reach_all()) return all_reduce_staged(x);
  const Chunk mine = chunk_of(x.elements(), area_.rank, area_.size);
  sum_in_order(x.dtype, {.from = reached_, .to = reached_}, mine.begin, mine.end - mine.begin);
  wait();
}

void SharedCommunicator::reduce_scatter(Stream&, Tensor x, Tensor y) {
  require_chunks("reduce_scatter", x, y, area_.size);
  const Signature signature = next(Operation::kReduceScatter, x.dtype, x.bytes());
  const RecordedCall call(*record_, group_, signature);
  enter(signature, x.data, x.bytes());
  if (x.bytes() == 0) return wait();
  if (!reach_all()) return reduce_scatter_staged(x, y);
  for (std::byte*& from : reached_) from += area_.rank * y.bytes();
  std::byte* const to[] = {y.data};
  sum_in_order(x.dtype, {.from = reached_, .to = to}, 0, y.elements());
  wait();
}

void SharedCommunicator::all_gather(Stream&, Tensor x, Tensor y) {
  require_chunks("all_gather", y, x, area_.size);
  const Signature signature = next(Operation::kAllGather, x.dtype, y.bytes());
  const RecordedCall call(*record_, group_, signature);
  enter(signature, x.data, x.bytes());
  if (y.bytes() == 0) return wait();
  if (!reach_all()) return all_gather_staged(x, y);
  for (int rank = 0; rank < area_.size; ++rank) {
    copy_bytes(y.data + rank * x.bytes(), reached_[static_cast<std::size_t>(rank)], x.bytes());
  }
  wait();
}

void SharedCommunicator::broadcast(Stream&, Tensor x, int root) {
  require_contiguous("broadcast", x);
  require_root("broadcast", root, area_.size);
  const Signature signature = next(Operation::kBroadcast, x.dtype, x.bytes(), root);
  const RecordedCall call(*record_, group_, signature);
  enter(signature, x.data, x.bytes());
  if (x.bytes() == 0) return wait();
  if (!reach_all()) return broadcast_staged(x, root);
  copy_bytes(x.data, reached_[static_cast<std::size_t>(root)], x.bytes());
  wait();
}

void SharedCommunicator::barrier(Stream&) {
  const Signature signature = next(Operation::kBarrier, DType::kUInt8, 0);
  const RecordedCall call(*record_, group_, signature);
  enter(signature, nullptr, 0);
  wait();
}

// Through staging: a buffer is written again only after a wait that follows the last read of it.

void SharedCommunicator::all_reduce_staged(Tensor x) {
  const std::int64_t element = size_of(x.dtype), piece = area_.staging_bytes / element;
  for (std::int64_t begin = 0; begin < x.elements(); begin += piece) {
    const std::int64_t count = std::min(piece, x.elements() - begin);
    copy_bytes(staging(area_.rank), x.data + begin * element, count * element);
    wait();
    const Chunk mine = chunk_of(count, area_.rank, area_.size);
    sum_in_order(x.dtype, {.from = area_.staging, .to = area_.staging}, mine.begin, mine.end - mine.begin);
    wait();
    copy_bytes(x.data + begin * element, staging(area_.rank), count * element);
  }
}

void SharedCommunicator::reduce_scatter_staged(Tensor x, Tensor y) {
  const std::int64_t element = size_of(x.dtype), piece = area_.staging_bytes / area_.size / element;
  for (std::int64_t begin = 0; begin < y.elements(); begin += piece) {
    const std::int64_t count = std::min(piece, y.elements() - begin);
    for (int rank = 0; rank < area_.size; ++rank) {
      copy_bytes(staging(area_.rank) + rank * piece * element, x.data + rank * y.bytes() + begin * element, count * element);
    }
    wait();
    for (int rank = 0; rank < area_.size; ++rank) reached_[static_cast<std::size_t>(rank)] = staging(rank) + area_.rank * piece * element;
    std::byte* const to[] = {y.data + begin * element};
    sum_in_order(x.dtype, {.from = reached_, .to = to}, 0, count);
    wait();
  }
}

void SharedCommunicator::all_gather_staged(Tensor x, Tensor y) {
  for (std::int64_t begin = 0; begin < x.bytes(); begin += area_.staging_bytes) {
    const std::int64_t bytes = std::min(area_.staging_bytes, x.bytes() - begin);
    copy_bytes(staging(area_.rank), x.data + begin, bytes);
    wait();
    for (int rank = 0; rank < area_.size; ++rank) copy_bytes(y.data + rank * x.bytes() + begin, staging(rank), bytes);
    wait();
  }
}

void SharedCommunicator::broadcast_staged(Tensor x, int root) {
  for (std::int64_t begin = 0; begin < x.bytes(); begin += area_.staging_bytes) {
    const std::int64_t bytes = std::min(area_.staging_bytes, x.bytes() - begin);
    if (area_.rank == root) copy_bytes(staging(root), x.data + begin, bytes);
    wait();
    if (area_.rank != root) copy_bytes(x.data + begin, staging(root), bytes);
    wait();
  }
}

}  // namespace weft

#include <algorithm>
#include <utility>

#include "parallel/collective_shapes.h"
#include "parallel/mpi/checked_call.h"
#include "parallel/mpi/mpi_communicator.h"
#include "parallel/sums.h"

namespace weft {
namespace {

class MessageCommunicator : public Communicator {
 public:
  MessageCommunicator(MpiGroup group, std::string name, std::shared_ptr<FlightRecord> record)
      : group_(std::move(group)),
        check_(group_, std::move(name), std::move(record)),
        block_(MpiGroup::kPieceBytes / group_.size() / 64 * 64),
        sent_(static_cast<std::size_t>(block_ * group_.size())),
        received_(sent_.size()) {}

  int rank() const override { return group_.rank(); }
  int size() const override { return group_.size(); }
  Memory allocate(Device& device, std::int64_t bytes) override { return device.allocate(bytes, MemoryKind::kDevice); }

  void all_reduce(Stream&, Tensor x) override {
    require_contiguous("all_reduce", x);
    const CheckedCall call(check_, {.operation = Operation::kAllReduce, .dtype = x.dtype, .bytes = x.bytes()});
    const std::int64_t element = size_of(x.dtype), piece = block_ / element * size();
    for (std::int64_t begin = 0; begin < x.elements(); begin += piece) {
      const std::int64_t count = std::min(piece, x.elements() - begin), chunk = (count + size() - 1) / size();
      copy_bytes(sent_.data(), x.data + begin * element, count * element);
      sum_blocks(x.dtype, chunk);
      group_.all_gather(received_.data(), sent_.data(), chunk * element);
      copy_bytes(x.data + begin * element, sent_.data(), count * element);
    }
  }

  void reduce_scatter(Stream&, Tensor x, Tensor y) override {
    require_chunks("reduce_scatter", x, y, size());
    const CheckedCall call(check_, {.operation = Operation::kReduceScatter, .dtype = x.dtype, .bytes = x.bytes()});
    const std::int64_t element = size_of(x.dtype), piece = block_ / element;
    for (std::int64_t begin = 0; begin < y.elements(); begin += piece) {
      const std::int64_t count = std::min(piece, y.elements() - begin);
      for (int k = 0; k < size(); ++k) {
        copy_bytes(sent_.data() + k * count * element, x.data + k * y.bytes() + begin * element, count * element);
      }
      sum_blocks(x.dtype, count);
      copy_bytes(y.data + begin * element, received_.data(), count * element);
    }
  }

  void all_gather(Stream&, Tensor x, Tensor y) override {
    require_chunks("all_gather", y, x, size());
    const CheckedCall call(check_, {.operation = Operation::kAllGather, .dtype = x.dtype, .bytes = y.bytes()});
    for (std::int64_t begin = 0; begin < x.bytes(); begin += block_) {
      const std::int64_t bytes = std::min(block_, x.bytes() - begin);
      group_.all_gather(x.data + begin, received_.data(), bytes);
      for (int k = 0; k < size(); ++k) copy_bytes(y.data + k * x.bytes() + begin, received_.data() + k * bytes, bytes);
    }
  }

  void broadcast(Stream&, Tensor x, int root) override {
    require_contiguous("broadcast", x);
    require_root("broadcast", root, size());
    const CheckedCall call(check_, {.operation = Operation::kBroadcast, .dtype = x.dtype, .bytes = x.bytes(), .root = root});
    group_.broadcast(x.data, x.bytes(), root);
  }

  void barrier(Stream&) override { const CheckedCall call(check_, {.operation = Operation::kBarrier}); }

 private:
  /// Block k of sent_ goes to rank k; the blocks that come are added in rank order, at the beginning of received_.
  void sum_blocks(DType dtype, std::int64_t elements) {
    const std::int64_t bytes = elements * size_of(dtype);
    group_.all_to_all(sent_.data(), received_.data(), bytes);
    blocks_.clear();
    for (int k = 0; k < size(); ++k) blocks_.push_back(received_.data() + k * bytes);
    sum_in_order(dtype, {.from = blocks_, .to = {blocks_.data(), 1}}, 0, elements);
  }

  MpiGroup group_;
  SignatureCheck check_;
  std::int64_t block_;  // bytes for one rank in one call of MPI
  std::vector<std::byte> sent_, received_;
  std::vector<std::byte*> blocks_;
};

}  // namespace

std::unique_ptr<Communicator> make_message_communicator(MpiGroup group, std::string name, const std::shared_ptr<MpiRank>& rank) {
  return std::make_unique<MessageCommunicator>(std::move(group), std::move(name), rank->record);
}

}  // namespace weft

#include "parallel/dry_communicator.h"

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

class DryCommunicator : public Communicator {
 public:
  DryCommunicator(int rank, int size) : rank_(rank), size_(size) {}
  int rank() const override { return rank_; }
  int size() const override { return size_; }
  Memory allocate(Device& device, std::int64_t bytes) override { return device.allocate(bytes, MemoryKind::kDevice); }
  void all_reduce(Stream&, Tensor) override {}
  void reduce_scatter(Stream&, Tensor x, Tensor y) override { require_chunk(x, y); }
  void all_gather(Stream&, Tensor x, Tensor y) override { require_chunk(y, x); }
  void broadcast(Stream&, Tensor, int) override {}
  void barrier(Stream&) override {}

 private:
  void require_chunk(const Tensor& all, const Tensor& chunk) const {
    if (all.elements() == chunk.elements() * size_ && all.dtype == chunk.dtype) return;
    fail(fmt::format("{} is not {} chunks of {}", describe(all), size_, describe(chunk)));
  }

  int rank_, size_;
};

}  // namespace

std::unique_ptr<Communicator> make_dry_communicator(int rank, int size) {
  return std::make_unique<DryCommunicator>(rank, size);
}

Mesh make_dry_mesh(Grid grid) {
  return {.world = make_dry_communicator(0, grid.data * grid.tensor),
          .dp = make_dry_communicator(0, grid.data),
          .tp = make_dry_communicator(0, grid.tensor),
          .control = nullptr};
}

}  // namespace weft

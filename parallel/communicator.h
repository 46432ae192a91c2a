#pragma once
#include <cstdint>
#include <memory>

#include "runtime/device.h"
#include "runtime/tensor.h"

namespace weft {

/// NCCL's verbs on one group of ranks, each enqueued on a stream. Sums are taken in rank order. Every rank calls the same verbs in the same
/// order with equal sizes.
class Communicator {
 public:
  virtual ~Communicator() = default;
  virtual int rank() const = 0;
  virtual int size() const = 0;
  /// Memory its transport likes (a shared window, registered memory): values and gradients live there.
  virtual Memory allocate(Device&, std::int64_t bytes) = 0;
  /// x (N), in place: the sum over all ranks.
  virtual void all_reduce(Stream&, Tensor x) = 0;
  /// x (size * n) -> y (n): chunk `rank` of the sum. y may be that chunk of x.
  virtual void reduce_scatter(Stream&, Tensor x, Tensor y) = 0;
  /// x (n) -> y (size * n). x may be chunk `rank` of y.
  virtual void all_gather(Stream&, Tensor x, Tensor y) = 0;
  virtual void broadcast(Stream&, Tensor x, int root) = 0;
  virtual void barrier(Stream&) = 0;
};

/// The group of one: every verb does nothing or copies.
std::unique_ptr<Communicator> make_self_communicator();

}  // namespace weft

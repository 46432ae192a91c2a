#pragma once
#include <array>

#include "parallel/communicator.h"
#include "runtime/device.h"
#include "runtime/kernels/cross_entropy.h"

namespace weft {

/// What a loss added up, on the host.
struct LossTotals {
  double loss = 0, nll = 0, count = 0, correct = 0;  // see LossSums
};

/// The LossSums tensor on the device: passes add to it, the host takes the totals away when it reports.
class LossBuffer {
 public:
  LossBuffer(Device&, Stream&);
  Tensor sums() const { return sums_; }
  /// The totals since the last call; starts from zero again. Waits for the device.
  LossTotals take();
  /// The sum over the ranks of a group, the same on each. Waits.
  LossTotals sum_over(Communicator&, const LossTotals& own);

 private:
  Device& device_;
  Stream& stream_;
  Memory memory_;
  Tensor sums_, exchanged_;
};

}  // namespace weft

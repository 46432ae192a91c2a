#pragma once
#include "runtime/device.h"

namespace weft {

/// Stands for another device: checks every shape and computes nothing. Its memory is made-up addresses that fault when touched, so a step
/// run on it at the capacity of a micro-batch measures the memory of that step before any is taken. Workspace sizes are asked of `table`,
/// the kernels of the device it stands for.
class DryDevice : public Device {
 public:
  explicit DryDevice(const KernelTable& stands_for);
  ~DryDevice() override;
  Stream& stream(StreamKind) override;
  Memory allocate(std::int64_t bytes, MemoryKind) override;
  void copy(Stream&, Tensor to, Tensor from) override;
  std::unique_ptr<Event> event() override;
  const KernelTable& kernels() const override;
  bool computes() const override { return false; }
  std::string name() const override { return "dry"; }

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace weft

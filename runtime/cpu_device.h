#pragma once
#include "runtime/device.h"

namespace weft {

/// All work is done when a call returns, so there is nothing to wait for.
class ImmediateStream : public Stream {
 public:
  void record(Event&) override {}
  void wait(const Event&) override {}
  void synchronize() override {}
};

/// Fails unless both tensors are contiguous, of one shape and dtype.
void check_copy(const Tensor& to, const Tensor& from);

/// The host's cores as a device: streams run at once in the caller's thread, memory is page-aligned host memory.
/// The table decides what computes: reference_kernels() or cpu_kernels().
class CpuDevice : public Device {
 public:
  explicit CpuDevice(const KernelTable& kernels);
  Stream& stream(StreamKind) override;
  Memory allocate(std::int64_t bytes, MemoryKind) override;
  void copy(Stream&, Tensor to, Tensor from) override;
  std::unique_ptr<Event> event() override;
  const KernelTable& kernels() const override { return kernels_; }
  bool computes() const override { return true; }
  std::string name() const override { return "cpu"; }

 private:
  const KernelTable& kernels_;
  ImmediateStream stream_;
};

}  // namespace weft

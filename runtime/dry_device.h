#pragma once
#include <cstdint>

#include "runtime/cpu_device.h"

namespace weft {

/// Stands for another device: checks every shape and computes nothing. Its memory is made-up addresses that fault when touched, so a step
/// run on it at the capacity of a micro-batch measures the memory of that step before any is taken. Its kernels are those of the device it
/// stands for: they are asked for the sizes of workspaces and never run (runtime/kernels/launch.h).
class DryDevice : public Device {
 public:
  explicit DryDevice(const KernelTable& stands_for) : kernels_(stands_for) {}
  Stream& stream(StreamKind) override { return stream_; }
  Memory allocate(std::int64_t bytes, MemoryKind) override {
    auto* data = reinterpret_cast<std::byte*>(next_address_);
    next_address_ += (static_cast<std::uintptr_t>(bytes) / kPage + 1) * kPage;
    return Memory(data, bytes, [](std::byte*) {});
  }
  void copy(Stream&, Tensor to, Tensor from) override { check_copy(to, from); }
  std::unique_ptr<Event> event() override { return std::make_unique<Event>(); }
  const KernelTable& kernels() const override { return kernels_; }
  bool computes() const override { return false; }
  std::string name() const override { return "dry"; }

 private:
  static constexpr std::uintptr_t kPage = 4096;
  const KernelTable& kernels_;
  ImmediateStream stream_;
  std::uintptr_t next_address_ = std::uintptr_t{1} << 56;  // no program has its memory there
};

}  // namespace weft

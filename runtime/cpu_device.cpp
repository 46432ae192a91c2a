#include "runtime/cpu_device.h"

#include <cstdlib>
#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

Tensor Memory::tensor(Shape shape, DType dtype) const {
  Tensor result(data(), shape, dtype);
  if (result.bytes() > bytes_) fail(fmt::format("{} does not fit into {} bytes", describe(result), bytes_));
  return result;
}

CpuDevice::CpuDevice(const KernelTable& kernels) : kernels_(kernels) {}

Stream& CpuDevice::stream(StreamKind) {
  return stream_;
}

Memory CpuDevice::allocate(std::int64_t bytes, MemoryKind) {
  constexpr std::size_t kPage = 4096;
  const std::size_t padded = (static_cast<std::size_t>(bytes) + kPage - 1) / kPage * kPage;
  void* data = std::aligned_alloc(kPage, padded > 0 ? padded : kPage);
  if (data == nullptr) fail(fmt::format("the host has no {} bytes of memory left", bytes));
  return Memory(static_cast<std::byte*>(data), bytes, [](std::byte* p) { std::free(p); });
}

void check_copy(const Tensor& to, const Tensor& from) {
  if (to.shape != from.shape || to.dtype != from.dtype || !to.contiguous() || !from.contiguous()) {
    fail(fmt::format("copy: {} from {}", describe(to), describe(from)));
  }
}

void CpuDevice::copy(Stream&, Tensor to, Tensor from) {
  check_copy(to, from);
  if (to.bytes() > 0) std::memcpy(to.data, from.data, static_cast<std::size_t>(to.bytes()));
}

std::unique_ptr<Event> CpuDevice::event() {
  return std::make_unique<Event>();
}

}  // namespace weft

#include "launcher/ranks/bf16_probe.h"

#include <algorithm>
#include <array>
#include <chrono>

#include <fmt/format.h>

#include "runtime/cpu_device.h"
#include "runtime/cpu_features.h"
#include "runtime/kernels/matmul.h"

namespace weft {
namespace {

using Clock = std::chrono::steady_clock;
constexpr std::int64_t kRows = 128, kWidth = 512;
constexpr auto kBudget = std::chrono::milliseconds(20);
constexpr double kWorthSaying = 1.15;

/// x W^T of one dtype, in memory of its own.
class Product {
 public:
  Product(Device& device, DType dtype) : memory_(device.allocate(bytes(dtype), MemoryKind::kDevice)), dtype_(dtype) {
    std::fill_n(memory_.data(), memory_.bytes(), std::byte{0x3c});  // a small number in either dtype: zeros may multiply faster
  }
  kernels::Matmul arguments() const {
    const Tensor x(memory_.data(), {kRows, kWidth}, dtype_), w(memory_.data() + x.bytes(), {kWidth, kWidth}, dtype_);
    return {.a = x, .b = w, .transpose_b = true, .y = Tensor(w.data + w.bytes(), {kRows, kWidth}, dtype_)};
  }

 private:
  static std::int64_t bytes(DType dtype) { return (2 * kRows * kWidth + kWidth * kWidth) * size_of(dtype); }
  Memory memory_;
  DType dtype_;
};

}  // namespace

double bf16_speed(const KernelTable& kernels) {
  CpuDevice device(kernels);
  const std::array products{Product(device, DType::kFloat32), Product(device, DType::kBFloat16)};
  std::int64_t workspace = 0;
  for (const Product& product : products) workspace = std::max(workspace, kernels.matmul.workspace_bytes(product.arguments()));
  constexpr std::int64_t kAlignment = 4096;
  const Memory memory = device.allocate(workspace + kAlignment, MemoryKind::kDevice);
  StepArena arena(memory.data(), memory.bytes());
  Context ctx{device, device.stream(StreamKind::kCompute), arena, {}, false};
  std::array best{Clock::duration::max(), Clock::duration::max()};
  for (const Product& product : products) kernels::matmul(ctx, product.arguments());  // a first call makes what later ones reuse
  const Clock::time_point begin = Clock::now();
  do {
    for (std::size_t i = 0; i < products.size(); ++i) {  // in turn: another program on the cores slows both
      const Clock::time_point start = Clock::now();
      kernels::matmul(ctx, products[i].arguments());
      best[i] = std::min(best[i], Clock::now() - start);
    }
  } while (Clock::now() - begin < kBudget);
  return std::chrono::duration<double>(best[0]) / std::chrono::duration<double>(best[1]);
}

std::string bf16_advice(const Machine& machine) {
  if (!machine.by_auto || machine.dtype != DType::kFloat32 || instruction_set() != InstructionSet::kAvx512) return "";
  const double speed = bf16_speed(*machine.kernels);
  if (speed < kWorthSaying) return "";
  return fmt::format("bf16 measured {:.1f} times float32 here: set precision.dtype: bf16", speed);
}

}  // namespace weft

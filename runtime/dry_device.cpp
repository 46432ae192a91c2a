#include "runtime/dry_device.h"

#include <fmt/format.h>

#include "runtime/error.h"
#include "runtime/kernels/table.h"

namespace weft {
namespace {

constexpr std::uintptr_t kFirstAddress = std::uintptr_t{1} << 56;  // no program has its memory there

/// The arguments were checked by the launcher; there is nothing else to do.
template <class Arguments>
void compute_nothing(Context&, const Arguments&) {}

/// Every kernel computes nothing; workspaces are those of the device it stands for.
KernelTable dry_table(const KernelTable& stands_for) {
  KernelTable table = stands_for;
  table.name = "dry";
  table.matmul = compute_nothing;
  table.pack_matmul = compute_nothing;
  table.bias_gradient = compute_nothing;
  table.activation_backward = compute_nothing;
  table.dropout = compute_nothing;
  table.layer_norm_forward = compute_nothing;
  table.layer_norm_backward = compute_nothing;
  table.embedding_forward = compute_nothing;
  table.embedding_backward = compute_nothing;
  table.attention_forward = compute_nothing;
  table.attention_backward = compute_nothing;
  table.cross_entropy = compute_nothing;
  table.sum_of_squares = compute_nothing;
  table.finish_norm = compute_nothing;
  table.adam_update = compute_nothing;
  table.sgd_update = compute_nothing;
  table.ema_update = compute_nothing;
  table.convert = compute_nothing;
  table.fill_zero = compute_nothing;
  table.exchange = compute_nothing;
  table.accumulate = compute_nothing;
  table.copy_rows = compute_nothing;
  return table;
}

}  // namespace

struct DryDevice::State {
  class DryStream : public Stream {
   public:
    void record(Event&) override {}
    void wait(const Event&) override {}
    void synchronize() override {}
  };

  KernelTable kernels;
  DryStream stream;
  std::uintptr_t next_address = kFirstAddress;
};

DryDevice::DryDevice(const KernelTable& stands_for) : state_(std::make_unique<State>(State{dry_table(stands_for), {}})) {}

DryDevice::~DryDevice() = default;

Stream& DryDevice::stream(StreamKind) {
  return state_->stream;
}

Memory DryDevice::allocate(std::int64_t bytes, MemoryKind) {
  constexpr std::uintptr_t kPage = 4096;
  auto* data = reinterpret_cast<std::byte*>(state_->next_address);
  state_->next_address += (static_cast<std::uintptr_t>(bytes) / kPage + 1) * kPage;
  return Memory(data, bytes, [](std::byte*) {});
}

void DryDevice::copy(Stream&, Tensor to, Tensor from) {
  if (to.shape != from.shape || to.dtype != from.dtype || !to.contiguous() || !from.contiguous()) {
    fail(fmt::format("copy: {} from {}", describe(to), describe(from)));
  }
}

std::unique_ptr<Event> DryDevice::event() {
  return std::make_unique<Event>();
}

const KernelTable& DryDevice::kernels() const {
  return state_->kernels;
}

}  // namespace weft

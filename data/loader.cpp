#include "data/loader.h"

#include <utility>

#include "runtime/error.h"

namespace weft {

Loader::Loader(Device& device, Stream& compute, const Dataset& data, const BatchSampler& sampler, const LoaderConfig& config)
    : device_(device), compute_(compute), data_(data), sampler_(sampler), config_(config) {
  const BatchExtent capacity = capacity_extent(config.micro_batch_rows, data.max_length(Side::kSource), data.max_length(Side::kTarget));
  for (std::size_t i = 0; i < kSlots; ++i) slots_.push_back({BatchBuffer(device, capacity), device.event(), nullptr, false, false});
  thread_ = std::thread([this] { run(); });
}

Loader::~Loader() {
  {
    const std::lock_guard lock(mutex_);
    stop_ = true;
  }
  changed_.notify_all();
  thread_.join();
}

void Loader::run() {
  try {
    Position position = config_.start;
    for (std::size_t at = 0;;) {
      auto loaded = std::make_shared<LoadedUpdate>();
      loaded->update = sampler_.update(position);
      position = loaded->update.next;
      const std::vector<BatchPart> parts = share(loaded->update, config_.dp_rank, config_.dp, config_.micro_batch_rows);
      loaded->passes = static_cast<std::int64_t>(parts.size());
      for (std::size_t pass = 0; pass < parts.size(); ++pass, at = (at + 1) % kSlots) {
        if (!fill(slots_[at], loaded, parts[pass], pass == 0)) return;
      }
    }
  } catch (...) {  // goes on in the thread that calls `next`
    const std::lock_guard lock(mutex_);
    error_ = std::current_exception();
    changed_.notify_all();
  }
}

bool Loader::fill(Slot& slot, const std::shared_ptr<const LoadedUpdate>& update, const BatchPart& part, bool first) {
  {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [&] { return stop_ || !slot.filled; });
    if (stop_) return false;
  }
  Stream& copies = device_.stream(StreamKind::kCopy);
  copies.wait(*slot.used);  // the device still reads the old batch until then
  slot.buffer.load(device_, copies, data_, part);
  copies.synchronize();  // this thread alone waits; the batch is on the device when it is handed out
  const std::lock_guard lock(mutex_);
  slot.update = update;
  slot.first = first;
  slot.filled = true;
  changed_.notify_all();
  return true;
}

Loader::Slot& Loader::wait_filled(std::unique_lock<std::mutex>& lock) {
  Slot& slot = slots_[at_];
  changed_.wait(lock, [&] { return slot.filled || error_ != nullptr; });
  if (!slot.filled) std::rethrow_exception(error_);
  return slot;
}

void Loader::release_current() {
  if (current_ == nullptr) return;
  compute_.record(*current_->used);
  current_->filled = false;
  current_ = nullptr;
  changed_.notify_all();
}

const LoadedUpdate& Loader::begin_update() {
  std::unique_lock lock(mutex_);
  release_current();
  const Slot& slot = wait_filled(lock);
  if (!slot.first) fail("loader: begin_update before all passes of the last one were taken");
  update_ = slot.update;
  return *update_;
}

const Batch& Loader::next() {
  std::unique_lock lock(mutex_);
  release_current();
  Slot& slot = wait_filled(lock);
  if (slot.update != update_) fail("loader: next without begin_update");
  current_ = &slot;
  at_ = (at_ + 1) % kSlots;
  return slot.buffer.batch();
}

}  // namespace weft

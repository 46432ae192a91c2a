#pragma once
#include <array>
#include <condition_variable>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "data/batch_builder.h"
#include "data/batch_sampler.h"
#include "data/batch_share.h"

namespace weft {

struct LoaderConfig {
  int dp_rank = 0, dp = 1;
  std::int64_t micro_batch_rows = 0;
  Position start;
};

/// An update as this rank runs it.
struct LoadedUpdate {
  Update update;
  std::int64_t passes = 0;
};

/// A thread that samples, deals, builds and copies batches ahead into two buffers, on the device's copy stream. In a step: `begin_update`
/// once, then `next` once a pass. Errors of the thread are thrown there.
class Loader {
 public:
  /// `compute` is the stream on which the batches are used. Data set, device and stream must outlive the loader.
  Loader(Device&, Stream& compute, const Dataset&, const BatchSampler&, const LoaderConfig&);
  ~Loader();
  Loader(const Loader&) = delete;
  Loader& operator=(const Loader&) = delete;

  /// The update whose passes follow. Valid until the next call.
  const LoadedUpdate& begin_update();
  /// The next pass. Valid for work enqueued on the compute stream before the next call.
  const Batch& next();

 private:
  static constexpr std::size_t kSlots = 2;
  struct Slot {
    BatchBuffer buffer;
    std::unique_ptr<Event> used;                 // on the compute stream, after the last work that reads the buffer
    std::shared_ptr<const LoadedUpdate> update;  // that this pass belongs to
    bool first = false;                          // pass of its update
    bool filled = false;
  };

  void run();
  bool fill(Slot&, const std::shared_ptr<const LoadedUpdate>&, const BatchPart&, bool first);
  Slot& wait_filled(std::unique_lock<std::mutex>&);
  void release_current();

  Device& device_;
  Stream& compute_;
  const Dataset& data_;
  BatchSampler sampler_;
  LoaderConfig config_;
  std::vector<Slot> slots_;
  std::size_t at_ = 0;       // slot that `next` hands out next
  Slot* current_ = nullptr;  // handed out last
  std::shared_ptr<const LoadedUpdate> update_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stop_ = false;
  std::exception_ptr error_;
  std::thread thread_;
};

}  // namespace weft

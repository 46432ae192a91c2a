#pragma once
#include <deque>
#include <functional>
#include <memory>

#include "runtime/cpu_device.h"

namespace weft::test {

/// A CPU device whose copies run as late as they may, as those of a GPU can: when the host waits for the stream or for an event in it. What
/// the host changes before, the copy takes as it then is.
class DeferredDevice : public CpuDevice {
 public:
  using CpuDevice::CpuDevice;
  Stream& stream(StreamKind) override { return stream_; }
  void copy(Stream&, Tensor to, Tensor from) override {
    stream_.push([this, to, from] { CpuDevice::copy(immediate_, to, from); });
  }
  std::unique_ptr<Event> event() override { return std::make_unique<DeferredEvent>(stream_); }

 private:
  class Queue : public Stream {
   public:
    void push(std::function<void()> work) { work_.push_back(std::move(work)), ++pushed_; }
    std::int64_t pushed() const { return pushed_; }
    void run_to(std::int64_t count) {
      for (; done_ < count; ++done_) {
        work_.front()();
        work_.pop_front();
      }
    }
    void record(Event& event) override { static_cast<DeferredEvent&>(event).place = pushed_; }
    void wait(const Event&) override {}  // of the same stream
    void synchronize() override { run_to(pushed_); }

   private:
    std::deque<std::function<void()>> work_;
    std::int64_t pushed_ = 0, done_ = 0;
  };
  struct DeferredEvent : Event {
    explicit DeferredEvent(Queue& queue) : queue_(queue) {}
    void synchronize() override { queue_.run_to(place); }
    std::int64_t place = 0;

   private:
    Queue& queue_;
  };

  Queue stream_;
  ImmediateStream immediate_;
};

}  // namespace weft::test

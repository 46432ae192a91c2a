#pragma once
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "runtime/tensor.h"

namespace weft {

struct KernelTable;

/// A point in a stream that another stream, or the host, can wait for. One that was never recorded is passed already.
class Event {
 public:
  virtual ~Event() = default;
  virtual void synchronize() {}  // the host waits; a CPU stream has passed every event when it is recorded
};

/// Work in order. A CPU stream runs at once, in the caller's thread.
class Stream {
 public:
  virtual ~Stream() = default;
  virtual void record(Event&) = 0;
  virtual void wait(const Event&) = 0;
  virtual void synchronize() = 0;  // never inside a step
};

enum class StreamKind { kCompute, kCommunication, kCopy };
enum class MemoryKind { kDevice, kPinnedHost };

/// A block of memory that is given back at the end of its life. Starts at a multiple of 64 bytes.
class Memory {
 public:
  using Release = std::function<void(std::byte*)>;
  Memory() = default;
  Memory(std::byte* data, std::int64_t bytes, Release release) : data_(data, std::move(release)), bytes_(bytes) {}
  std::byte* data() const { return data_.get(); }
  std::int64_t bytes() const { return bytes_; }
  /// The first bytes seen as a tensor; fails when they do not suffice.
  Tensor tensor(Shape, DType) const;

 private:
  std::unique_ptr<std::byte, Release> data_{nullptr, [](std::byte*) {}};
  std::int64_t bytes_ = 0;
};

/// One of the three seams between CPU and GPU (the others: kernel table, communicator).
class Device {
 public:
  virtual ~Device() = default;
  virtual Stream& stream(StreamKind) = 0;
  /// Fails and says how many bytes were asked for when there is not that much.
  virtual Memory allocate(std::int64_t bytes, MemoryKind) = 0;
  /// Shapes and dtypes are equal, both contiguous. Either side may be host memory.
  virtual void copy(Stream&, Tensor to, Tensor from) = 0;
  virtual std::unique_ptr<Event> event() = 0;
  virtual const KernelTable& kernels() const = 0;
  /// False on the dry device, whose addresses must never be touched.
  virtual bool computes() const = 0;
  virtual std::string name() const = 0;
};

}  // namespace weft

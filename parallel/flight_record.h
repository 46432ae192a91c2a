#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <exception>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include "parallel/progress.h"
#include "parallel/signature.h"

namespace weft {

/// The last 1,024 collectives of this rank, over all its groups, to explain a hang or a crash. Recording takes no memory and no
/// lock. One thread records; any thread may read meanwhile, and leaves out an entry that is being overwritten.
class FlightRecord {
 public:
  static constexpr std::int64_t kCapacity = 1024;

  /// `progress`, if given, outlives this object; its collective number grows as each collective is entered.
  explicit FlightRecord(Progress* progress = nullptr);
  FlightRecord(const FlightRecord&) = delete;
  FlightRecord& operator=(const FlightRecord&) = delete;

  /// Returns what `enter` calls this group; `name` is world, dp, tp or where it was split from.
  int add_group(std::string_view name);
  /// Returns the number of the collective over all groups, from 1.
  std::int64_t enter(int group, const Signature&);
  void leave(std::int64_t number);

  std::int64_t entered() const { return next_.load(std::memory_order_acquire) - 1; }
  /// The last collective in one line: `all_reduce #17, 4096 bytes of float32, dp, entered and not left`; "none" before the first.
  std::string last() const;
  /// Plain text, a collective a line, oldest first: number, group, operation, sequence, bytes, dtype, start and end (seconds since
  /// 1970; `-`: not left). Fails with path and cause when the file cannot be written.
  void write(const std::string& path) const;

 private:
  struct Entry {
    std::atomic<std::int64_t> number{0};  // 0: being written, or never used
    std::atomic<std::int64_t> sequence{0}, bytes{0}, root{0}, start_ns{0}, end_ns{0};
    std::atomic<int> group{0};
    std::atomic<Operation> operation{Operation::kBarrier};
    std::atomic<DType> dtype{DType::kUInt8};
  };
  struct Line {
    std::int64_t number = 0, start_ns = 0, end_ns = 0;
    Signature signature;
    std::string group;
  };
  bool read(std::int64_t number, Line&) const;
  Entry& entry(std::int64_t number) const { return (*entries_)[static_cast<std::size_t>(number % kCapacity)]; }

  std::unique_ptr<std::array<Entry, kCapacity>> entries_;
  std::atomic<std::int64_t> next_{1};
  Progress* progress_;
  mutable std::mutex names_mutex_;
  std::vector<std::string> names_;
};

/// A collective from its entry to its end; one that fails is never left.
class RecordedCall {
 public:
  RecordedCall(FlightRecord& record, int group, const Signature& signature) : record_(record), number_(record.enter(group, signature)) {}
  ~RecordedCall() {
    if (std::uncaught_exceptions() == 0) record_.leave(number_);
  }
  RecordedCall(const RecordedCall&) = delete;
  RecordedCall& operator=(const RecordedCall&) = delete;

 private:
  FlightRecord& record_;
  std::int64_t number_;
};

}  // namespace weft

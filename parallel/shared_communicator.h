#pragma once
#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "parallel/communicator.h"
#include "parallel/flight_record.h"
#include "parallel/shared_barrier.h"

namespace weft {

/// What the ranks of a group share, seen from one of them.
struct SharedArea {
  /// What a rank tells the others when it enters a collective.
  struct alignas(64) Slot {
    Signature signature;
    std::int64_t window = 0, offset = 0;  // where its tensor lies; window -1: where the others cannot reach it
  };
  static std::int64_t control_bytes(int size) { return static_cast<std::int64_t>(sizeof(SharedBarrier) + sizeof(Slot) * size); }

  int rank = 0, size = 0;
  std::byte* control = nullptr;               // control_bytes, zero at first: the barrier, then a slot for each rank
  std::vector<std::byte*> staging;            // of each rank, staging_bytes; empty where everything is reachable
  std::int64_t staging_bytes = 0;             // a multiple of 64 x size
  const std::atomic<bool>* failed = nullptr;  // see SharedBarrier
  std::shared_ptr<void> owner;                // keeps all this
};

/// The verbs among ranks that can read and write each other's memory: threads of a process, or processes of a host. Rank r computes chunk
/// r of a sum, adding in rank order, and writes it wherever it is wanted. Tensors that lie in a window are worked on where they are, others
/// go through the staging buffers in pieces; either way gives the same bits.
///
/// Each call enters its signature and where its tensor lies into this rank's slot, meets the others, compares all slots, works, and meets
/// the others again: two waits. When signatures differ no data is touched and every rank fails with the same message.
class SharedCommunicator : public Communicator {
 public:
  SharedCommunicator(SharedArea, std::string name, std::shared_ptr<FlightRecord>);
  int rank() const override { return area_.rank; }
  int size() const override { return area_.size; }
  void all_reduce(Stream&, Tensor x) override;
  void reduce_scatter(Stream&, Tensor x, Tensor y) override;
  void all_gather(Stream&, Tensor x, Tensor y) override;
  void broadcast(Stream&, Tensor x, int root) override;
  void barrier(Stream&) override;

 protected:
  /// Memory that all ranks reach: rank r's begins at bases[r] in this process's addresses. The same windows are added in the same order by
  /// every rank; a window's number is never used again.
  std::int64_t add_window(std::vector<std::uintptr_t> bases, std::int64_t bytes);
  /// For whoever owns the memory to call when it goes; does not need this object any more.
  std::function<void()> window_remover(std::int64_t number) const {
    return [windows = windows_, number] { windows->erase(number); };
  }
  /// Inside a collective, where every rank that has arrived is sure to come: nobody may leave while others work in its memory.
  void wait() { control_barrier().wait(area_.size, nullptr); }

  const std::string& name() const { return name_; }

 private:
  struct Window {
    std::vector<std::uintptr_t> bases;
    std::int64_t bytes;
  };
  SharedBarrier& control_barrier() const { return *reinterpret_cast<SharedBarrier*>(area_.control); }
  SharedArea::Slot* slots() const { return reinterpret_cast<SharedArea::Slot*>(area_.control + sizeof(SharedBarrier)); }
  Signature next(Operation, DType, std::int64_t bytes, int root = 0);
  void enter(const Signature&, const std::byte* data, std::int64_t bytes);
  /// Fills reached_ with each rank's tensor; false when some rank's cannot be reached.
  bool reach_all();
  std::byte* staging(int rank) const { return area_.staging[static_cast<std::size_t>(rank)]; }

  void all_reduce_staged(Tensor x);
  void reduce_scatter_staged(Tensor x, Tensor y);
  void all_gather_staged(Tensor x, Tensor y);
  void broadcast_staged(Tensor x, int root);

  SharedArea area_;
  std::string name_;
  std::shared_ptr<FlightRecord> record_;
  int group_;
  std::int64_t sequence_ = 0;
  std::int64_t next_window_ = 0;
  std::shared_ptr<std::map<std::int64_t, Window>> windows_ = std::make_shared<std::map<std::int64_t, Window>>();  // by number
  std::vector<Signature> signatures_;  // of the call in progress, by rank
  std::vector<std::byte*> reached_;    // the tensors of the call in progress, by rank
};

}  // namespace weft

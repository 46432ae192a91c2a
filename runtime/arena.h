#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/tensor.h"

namespace weft {

/// The memory of a step: one block, taken from both ends. Saved tensors (they live until their backward) grow from the front, scratch
/// tensors (they die in the call) from the back; both are released last in, first out. Nothing is initialised. Every tensor starts at a
/// multiple of 64 bytes. On the dry device the block is made-up addresses without end, and `peak()` is how large the real one must be.
class StepArena {
 public:
  struct Use {
    std::string_view name;
    std::int64_t bytes;
  };

  StepArena(std::byte* begin, std::int64_t bytes);

  /// Lives until the front is released to a Mark taken before it. `name` must be a literal.
  Tensor saved(std::string_view name, Shape, DType);
  /// Lives until the end of the enclosing Scope. `name` must be a literal.
  Tensor scratch(std::string_view name, Shape, DType);

  /// A place in the front: releasing to it frees all that was saved since.
  struct Mark {
    std::int64_t front;
    std::size_t uses;
  };
  Mark mark() const { return {front_, front_uses_.size()}; }
  void release(Mark);

  /// All scratch taken during its life is freed at its end.
  class Scope {
   public:
    explicit Scope(StepArena& arena) : arena_(arena), back_(arena.back_), uses_(arena.back_uses_.size()) {}
    ~Scope() { arena_.release_back(back_, uses_); }
    Scope(const Scope&) = delete;
    Scope& operator=(const Scope&) = delete;

   private:
    StepArena& arena_;
    std::int64_t back_;
    std::size_t uses_;
  };

  std::int64_t capacity() const { return capacity_; }
  /// Largest sum of both ends so far, in bytes.
  std::int64_t peak() const { return peak_; }
  /// What was held at the peak, summed by name, largest first. Only kept after `record_peak()`, since it allocates.
  std::vector<Use> peak_by_name() const;
  void record_peak() { recording_ = true; }
  /// Fills what is released with NaN bytes from now on, so that a use after release shows. For tests; not on the dry device.
  void poison_released() { poison_ = true; }

 private:
  void note_peak();
  void release_back(std::int64_t back, std::size_t uses);
  [[noreturn]] void fail_full(std::string_view name, const Shape&, std::int64_t bytes) const;

  std::byte* begin_;
  std::int64_t capacity_;
  std::int64_t front_ = 0;  // bytes taken from the front
  std::int64_t back_ = 0;   // bytes taken from the back
  std::int64_t peak_ = 0;
  std::vector<Use> front_uses_, back_uses_, peak_uses_;
  bool recording_ = false;
  bool poison_ = false;
};

}  // namespace weft

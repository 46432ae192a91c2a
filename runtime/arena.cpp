#include "runtime/arena.h"

#include <algorithm>
#include <cstring>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::int64_t kAlignment = 64;
constexpr int kNaNByte = 0xff;  // 0xffff.. is a NaN in every float format
constexpr std::size_t kExpectedTensors = 4096;

std::int64_t padded(std::int64_t bytes) {
  return (bytes + kAlignment - 1) / kAlignment * kAlignment;
}

}  // namespace

StepArena::StepArena(std::byte* begin, std::int64_t bytes) : begin_(begin), capacity_(bytes / kAlignment * kAlignment) {
  front_uses_.reserve(kExpectedTensors);  // a step allocates nothing
  back_uses_.reserve(kExpectedTensors);
}

Tensor StepArena::saved(std::string_view name, Shape shape, DType dtype) {
  const std::int64_t bytes = padded(shape.elements() * size_of(dtype));
  if (bytes > capacity_ - front_ - back_) fail_full(name, shape, bytes);
  Tensor tensor(begin_ + front_, shape, dtype);
  front_ += bytes;
  front_uses_.push_back({name, bytes});
  note_peak();
  return tensor;
}

Tensor StepArena::scratch(std::string_view name, Shape shape, DType dtype) {
  const std::int64_t bytes = padded(shape.elements() * size_of(dtype));
  if (bytes > capacity_ - front_ - back_) fail_full(name, shape, bytes);
  back_ += bytes;
  back_uses_.push_back({name, bytes});
  note_peak();
  return Tensor(begin_ + (capacity_ - back_), shape, dtype);
}

void StepArena::release(Mark mark) {
  if (mark.front > front_) fail("arena: released to a mark that lies ahead");
  if (poison_) std::memset(begin_ + mark.front, kNaNByte, static_cast<std::size_t>(front_ - mark.front));
  front_ = mark.front;
  front_uses_.resize(mark.uses);
}

void StepArena::release_back(std::int64_t back, std::size_t uses) {
  if (poison_) std::memset(begin_ + (capacity_ - back_), kNaNByte, static_cast<std::size_t>(back_ - back));
  back_ = back;
  back_uses_.resize(uses);
}

void StepArena::note_peak() {
  if (front_ + back_ <= peak_) return;
  peak_ = front_ + back_;
  if (!recording_) return;
  peak_uses_ = front_uses_;
  peak_uses_.insert(peak_uses_.end(), back_uses_.begin(), back_uses_.end());
}

std::vector<StepArena::Use> StepArena::peak_by_name() const {
  std::vector<Use> sums;
  for (const Use& use : peak_uses_) {
    const auto known = std::find_if(sums.begin(), sums.end(), [&](const Use& sum) { return sum.name == use.name; });
    if (known == sums.end()) {
      sums.push_back(use);
    } else {
      known->bytes += use.bytes;
    }
  }
  std::stable_sort(sums.begin(), sums.end(), [](const Use& a, const Use& b) { return a.bytes > b.bytes; });
  return sums;
}

void StepArena::fail_full(std::string_view name, const Shape& shape, std::int64_t bytes) const {
  fail(fmt::format("arena: {} {} needs {} bytes, {} of {} are free", name, to_string(shape), bytes, capacity_ - front_ - back_, capacity_));
}

}  // namespace weft

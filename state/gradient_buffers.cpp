#include "state/gradient_buffers.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// Buckets come from the last block to the first; a group ends with the bucket that ends with a block.
std::vector<FlatRange> groups_of(const ParameterSet& set, const ShardLayout& layout) {
  std::vector<FlatRange> groups;
  bool open = false;
  for (const Bucket& bucket : layout.buckets()) {
    if (!open) groups.push_back(bucket.range);
    groups.back().begin = bucket.range.begin;
    open = bucket.range.begin != set.block(bucket.first_block).begin;
  }
  return groups;
}

bool has_shared(const ParameterSet& set, FlatRange range) {
  return std::ranges::any_of(set.parameters(), [&](const Parameter& parameter) {
    return parameter.shared && parameter.saved && parameter.offset >= range.begin && parameter.offset < range.end;
  });
}

}  // namespace

GradientBuffers::GradientBuffers(ParameterSet& set, const ShardLayout& layout, Communicator& dp, Device& device, DType sum)
    : layout_(layout) {
  std::int64_t elements = 0;
  if (layout.shards_gradients()) {
    for (const FlatRange range : groups_of(set, layout)) {
      groups_.push_back({range, 0});
      if (!has_shared(set, range)) elements = std::max(elements, range.end - range.begin);
    }
    for (Group& group : groups_) {
      if (!has_shared(set, group.range)) continue;
      group.place = elements;
      elements += group.range.end - group.range.begin;
    }
    sum_memory_ = device.allocate(layout.updated_elements() * size_of(sum), MemoryKind::kDevice);
    sums_ = sum_memory_.tensor({layout.updated_elements()}, sum);
  } else {
    elements = set.elements();
    groups_.push_back({{0, elements}, 0});
  }
  working_memory_ = dp.allocate(device, elements * size_of(sum));
  working_ = working_memory_.tensor({elements}, sum);
  set.bind_gradients([this](FlatRange range) { return working(range); });
}

Tensor GradientBuffers::working(FlatRange range) const {
  for (const Group& group : groups_) {
    if (range.begin < group.range.begin || range.end > group.range.end) continue;
    return working_.rows(group.place + range.begin - group.range.begin, range.end - range.begin);
  }
  fail(fmt::format("elements {} .. {} have no gradient in one place", range.begin, range.end));
}

Tensor GradientBuffers::sum(FlatRange range) const {
  return sums_.defined() ? sums_.rows(layout_.offset_in_shard(range), range.end - range.begin) : working(range);
}

}  // namespace weft

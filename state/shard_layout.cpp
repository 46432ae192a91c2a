#include "state/shard_layout.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::int64_t kMega = 1'000'000;

std::int64_t length(FlatRange range) {
  return range.end - range.begin;
}

std::vector<FlatRange> joined(std::vector<FlatRange> ranges) {
  std::sort(ranges.begin(), ranges.end(), [](FlatRange a, FlatRange b) { return a.begin < b.begin; });
  std::vector<FlatRange> result;
  for (const FlatRange range : ranges) {
    if (length(range) == 0) continue;
    if (!result.empty() && result.back().end == range.begin) {
      result.back().end = range.end;
    } else {
      result.push_back(range);
    }
  }
  return result;
}

}  // namespace

ShardLayout::ShardLayout(const ParameterSet& set) {
  cut(set, std::max<std::int64_t>(set.elements(), 1));
  updated_ = stored_ = joined({{0, set.elements()}});
  updated_elements_ = set.elements();
}

ShardLayout::ShardLayout(const ParameterSet& set, const Communicator& dp, const ParallelConfig& config, std::int64_t element_bytes)
    : rank_(dp.rank()),
      size_(dp.size()),
      sharded_(config.zero_stage > 0 && dp.size() > 1),
      shards_gradients_(config.zero_stage > 1 && dp.size() > 1) {
  if (config.zero_stage < 0 || config.zero_stage > 2) {
    fail_input(fmt::format("parallel.zero_stage: {}\n  expected  0, 1 or 2 (3 is not supported yet)", config.zero_stage));
  }
  const std::int64_t unit = ParameterSet::kAlignment * size_;
  cut(set, std::max(config.bucket_mb * kMega / element_bytes / unit, std::int64_t{1}) * unit);
  std::vector<FlatRange> slices;
  for (const Bucket& bucket : buckets_) slices.push_back(slice(bucket));
  stored_ = joined(slices);
  updated_ = sharded_ ? stored_ : joined({{0, set.elements()}});
  for (const FlatRange range : updated_) updated_elements_ += length(range);
}

void ShardLayout::cut(const ParameterSet& set, std::int64_t largest) {
  for (BlockId block = set.num_blocks() - 1; block >= 0; --block) {
    const FlatRange range = set.block(block);
    if (length(range) % size_ != 0) fail(fmt::format("block {} of {} elements cannot be dealt to {} ranks", block, length(range), size_));
    const bool joins = !buckets_.empty() && length(buckets_.back().range) + length(range) <= largest;
    if (joins) {
      buckets_.back() = {{range.begin, buckets_.back().range.end}, block};
      continue;
    }
    for (std::int64_t end = range.end; end > range.begin;) {
      const std::int64_t begin = std::max(range.begin, end - largest);
      buckets_.push_back({{begin, end}, block});
      end = begin;
    }
  }
}

FlatRange ShardLayout::slice(const Bucket& bucket) const {
  const std::int64_t part = length(bucket.range) / size_;
  return {bucket.range.begin + rank_ * part, bucket.range.begin + (rank_ + 1) * part};
}

std::int64_t ShardLayout::offset_in_shard(FlatRange range) const {
  std::int64_t before = 0;
  for (const FlatRange owned : updated_) {
    if (range.begin >= owned.begin && range.end <= owned.end) return before + range.begin - owned.begin;
    before += length(owned);
  }
  fail(fmt::format("elements {} .. {} are not in this rank's share", range.begin, range.end));
}

}  // namespace weft

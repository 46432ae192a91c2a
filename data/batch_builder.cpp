#include "data/batch_builder.h"

#include <algorithm>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

constexpr std::int64_t kAlignment = 64;

std::int64_t padded(std::int64_t elements) {
  return (elements * 4 + kAlignment - 1) / kAlignment * kAlignment;  // every tensor of a batch has elements of 4 bytes
}

/// Hands out tensors of one block, one after the other.
class Cutter {
 public:
  explicit Cutter(std::byte* next) : next_(next) {}
  Tensor take(std::int64_t elements, DType dtype = DType::kInt32) {
    Tensor tensor(next_, {elements}, dtype);
    next_ += padded(elements);
    return tensor;
  }
  Rows take_rows(std::int64_t rows, std::int64_t sequences, std::int64_t max_length) {
    Rows r;
    r.tokens = take(rows);
    r.positions = take(rows);
    r.sample = take(rows);
    r.by_token = take(rows);
    r.begin = take(sequences);
    r.length = take(sequences);
    r.rows = rows;
    r.sequences = sequences;
    r.max_length = max_length;
    return r;
  }

 private:
  std::byte* next_;
};

constexpr std::int64_t kRowTensors = 4;       // tokens, positions, sample, by_token
constexpr std::int64_t kSequenceTensors = 2;  // begin, length
constexpr std::int64_t kLabelTensors = 2;     // labels, weights

}  // namespace

BatchExtent capacity_extent(std::int64_t micro_batch_rows, std::int64_t max_source_length, std::int64_t max_target_length) {
  return {.sequences = micro_batch_rows,
          .source_rows = micro_batch_rows,
          .target_rows = micro_batch_rows,
          .max_source_length = std::min(max_source_length, micro_batch_rows),
          .max_target_length = std::min(max_target_length, micro_batch_rows)};
}

std::int64_t batch_bytes(const BatchExtent& e) {
  return kRowTensors * (padded(e.source_rows) + padded(e.target_rows)) + 2 * kSequenceTensors * padded(e.sequences) +
         kLabelTensors * padded(e.target_rows);
}

Batch view_batch(const Memory& block, const BatchExtent& e) {
  return view_batch(block.tensor({block.bytes()}, DType::kUInt8), e);
}

Batch view_batch(Tensor block, const BatchExtent& e) {
  if (batch_bytes(e) > block.bytes()) fail(fmt::format("a batch of {} bytes does not fit into {}", batch_bytes(e), block.bytes()));
  Cutter cutter(block.data);
  Batch batch;
  batch.source = cutter.take_rows(e.source_rows, e.sequences, e.max_source_length);
  batch.target = cutter.take_rows(e.target_rows, e.sequences, e.max_target_length);
  batch.labels = cutter.take(e.target_rows);
  batch.weights = cutter.take(e.target_rows, DType::kFloat32);
  return batch;
}

void fill_rows(const Rows& rows, std::span<const RowSource> sequences, std::int64_t vocab_size) {
  const auto tokens = rows.tokens.span<std::int32_t>(), positions = rows.positions.span<std::int32_t>();
  const auto sample = rows.sample.span<std::int32_t>(), by_token = rows.by_token.span<std::int32_t>();
  const auto begin = rows.begin.span<std::int32_t>(), length = rows.length.span<std::int32_t>();
  std::vector<std::uint64_t> keys(tokens.size());  // id in the upper half, row in the lower: sorted, the lower halves are by_token
  std::size_t row = 0;
  for (std::size_t b = 0; b < sequences.size(); ++b) {
    const RowSource& sequence = sequences[b];
    begin[b] = static_cast<std::int32_t>(row);
    length[b] = static_cast<std::int32_t>(sequence.tokens.size());
    for (std::size_t p = 0; p < sequence.tokens.size(); ++p, ++row) {
      const bool shifted = sequence.first >= 0;
      const std::int32_t id = !shifted ? sequence.tokens[p] : p == 0 ? sequence.first : sequence.tokens[p - 1];
      if (id < 0 || id >= vocab_size) fail_input(fmt::format("token {} is outside the vocabulary of {}: damaged data", id, vocab_size));
      tokens[row] = id;
      positions[row] = static_cast<std::int32_t>(p);
      sample[row] = static_cast<std::int32_t>(sequence.number);
      keys[row] = (static_cast<std::uint64_t>(id) << 32) | row;
    }
  }
  std::sort(keys.begin(), keys.end());
  for (std::size_t i = 0; i < keys.size(); ++i) by_token[i] = static_cast<std::int32_t>(keys[i] & 0xffffffffu);
}

BatchExtent extent_of(const BatchPart& part) {
  if (part.empty()) return {.sequences = 1, .source_rows = 1, .target_rows = 1, .max_source_length = 1, .max_target_length = 1};
  BatchExtent e{.sequences = static_cast<std::int64_t>(part.size())};
  for (const Sample& sample : part) {
    e.source_rows += sample.lengths.source;
    e.target_rows += sample.lengths.target;
    e.max_source_length = std::max<std::int64_t>(e.max_source_length, sample.lengths.source);
    e.max_target_length = std::max<std::int64_t>(e.max_target_length, sample.lengths.target);
  }
  return e;
}

Batch build_batch(const Dataset& data, const BatchPart& part, const Memory& host) {
  const Batch batch = view_batch(host, extent_of(part));
  const VocabularyInfo &source = data.vocabulary(Side::kSource), &target = data.vocabulary(Side::kTarget);
  const std::int32_t no_source[] = {source.special.eos}, no_target[] = {target.special.eos};
  std::vector<RowSource> sources, targets;
  for (const Sample& sample : part) {
    sources.push_back({.tokens = data.tokens(sample.index, Side::kSource), .number = sample.number});
    targets.push_back({.tokens = data.tokens(sample.index, Side::kTarget), .number = sample.number, .first = target.special.bos});
  }
  if (part.empty()) {
    sources.push_back({.tokens = no_source});
    targets.push_back({.tokens = no_target, .first = target.special.bos});
  }
  fill_rows(batch.source, sources, source.size);
  fill_rows(batch.target, targets, target.size);
  const auto labels = batch.labels.span<std::int32_t>();
  std::size_t row = 0;
  for (const RowSource& sequence : targets) {
    std::copy(sequence.tokens.begin(), sequence.tokens.end(), labels.begin() + static_cast<std::ptrdiff_t>(row));
    row += sequence.tokens.size();
  }
  for (const std::int32_t label : labels) {
    if (label < 0 || label >= target.size) fail_input(fmt::format("{}: label {} is outside the vocabulary", data.folder(), label));
  }
  std::ranges::fill(batch.weights.span<float>(), part.empty() ? 0.0f : 1.0f);
  return batch;
}

BatchBuffer::BatchBuffer(Device& device, const BatchExtent& capacity)
    : host_(device.allocate(batch_bytes(capacity), MemoryKind::kPinnedHost)),
      device_memory_(device.allocate(batch_bytes(capacity), MemoryKind::kDevice)) {}

const Batch& BatchBuffer::load(Device& device, Stream& stream, const Dataset& data, const BatchPart& part) {
  build_batch(data, part, host_);
  const BatchExtent extent = extent_of(part);
  const std::int64_t bytes = batch_bytes(extent);
  device.copy(stream, device_memory_.tensor({bytes}, DType::kUInt8), host_.tensor({bytes}, DType::kUInt8));
  batch_ = view_batch(device_memory_, extent);
  return batch_;
}

}  // namespace weft

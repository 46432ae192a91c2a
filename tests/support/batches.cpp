#include "tests/support/batches.h"

#include <algorithm>
#include <numeric>

#include "runtime/error.h"
#include "runtime/random.h"

namespace weft::test {
namespace {

constexpr std::int32_t kBos = 1, kEos = 2, kFirstOrdinary = 3, kIgnored = -100;

std::vector<std::int32_t> sorted_by_token(const std::vector<std::int32_t>& tokens) {
  std::vector<std::int32_t> rows(tokens.size());
  std::iota(rows.begin(), rows.end(), 0);
  std::stable_sort(rows.begin(), rows.end(), [&](std::int32_t a, std::int32_t b) {
    return tokens[static_cast<std::size_t>(a)] < tokens[static_cast<std::size_t>(b)];
  });
  return rows;
}

Rows rows_like(const Rows& rows, Device& device, std::vector<Memory>& memory) {
  Rows copy = rows;
  for (Tensor* tensor : {&copy.tokens, &copy.positions, &copy.sample, &copy.begin, &copy.length, &copy.by_token}) {
    memory.push_back(device.allocate(tensor->bytes(), MemoryKind::kDevice));
    *tensor = memory.back().tensor(tensor->shape, tensor->dtype);
  }
  return copy;
}

}  // namespace

Rows make_rows(TestContext& ctx, const Sequences& sequences, std::int32_t first_sample) {
  std::vector<std::int32_t> tokens, positions, sample, begin, length;
  for (const auto& sequence : sequences) {
    const auto number = first_sample + static_cast<std::int32_t>(begin.size());
    begin.push_back(static_cast<std::int32_t>(tokens.size()));
    length.push_back(static_cast<std::int32_t>(sequence.size()));
    for (std::size_t i = 0; i < sequence.size(); ++i) {
      tokens.push_back(sequence[i]);
      positions.push_back(static_cast<std::int32_t>(i));
      sample.push_back(number);
    }
  }
  return {.tokens = ctx.ints(tokens),
          .positions = ctx.ints(positions),
          .sample = ctx.ints(sample),
          .begin = ctx.ints(begin),
          .length = ctx.ints(length),
          .by_token = ctx.ints(sorted_by_token(tokens)),
          .rows = static_cast<std::int64_t>(tokens.size()),
          .sequences = static_cast<std::int64_t>(sequences.size()),
          .max_length = length.empty() ? 0 : *std::max_element(length.begin(), length.end())};
}

Rows make_rows_of_lengths(TestContext& ctx, const std::vector<std::int32_t>& lengths) {
  Sequences sequences;
  for (std::int32_t length : lengths) sequences.emplace_back(static_cast<std::size_t>(length), 0);
  return make_rows(ctx, sequences);
}

Batch make_batch(TestContext& ctx, const Sequences& sources, const Sequences& targets, const std::vector<std::int32_t>& labels) {
  Batch batch{.source = make_rows(ctx, sources), .target = make_rows(ctx, targets)};
  if (batch.target.rows != static_cast<std::int64_t>(labels.size())) fail("make_batch: as many labels as target rows are expected");
  std::vector<std::int32_t> valid;
  std::vector<double> weights;
  for (std::int32_t label : labels) {
    valid.push_back(label == kIgnored ? 0 : label);
    weights.push_back(label == kIgnored ? 0 : 1);
  }
  batch.labels = ctx.ints(valid);
  batch.weights = ctx.floats(weights, DType::kFloat32, {batch.target.rows});
  return batch;
}

Batch make_random_batch(TestContext& ctx, const RandomBatch& random) {
  const RandomKey key = random_key(random.seed, "batch");
  std::uint64_t drawn = 0;
  const auto token = [&] {
    const auto ordinary = static_cast<std::uint64_t>(random.vocab_size - kFirstOrdinary);
    return kFirstOrdinary + static_cast<std::int32_t>(random_below(key, drawn++, ordinary));
  };
  Sequences sources, targets;
  std::vector<std::int32_t> labels;
  for (std::int32_t length : random.source_lengths) {
    auto& source = sources.emplace_back();
    for (std::int32_t i = 0; i + 1 < length; ++i) source.push_back(token());
    source.push_back(kEos);
  }
  for (std::int32_t length : random.target_lengths) {
    auto& target = targets.emplace_back(1, kBos);
    for (std::int32_t i = 0; i + 1 < length; ++i) {
      target.push_back(token());
      labels.push_back(target.back());
    }
    labels.push_back(kEos);
  }
  return make_batch(ctx, sources, targets, labels);
}

Batch batch_like(const Batch& batch, Device& device, std::vector<Memory>& memory) {
  Batch copy{.source = rows_like(batch.source, device, memory), .target = rows_like(batch.target, device, memory)};
  memory.push_back(device.allocate(batch.labels.bytes(), MemoryKind::kDevice));
  copy.labels = memory.back().tensor(batch.labels.shape, DType::kInt32);
  memory.push_back(device.allocate(batch.weights.bytes(), MemoryKind::kDevice));
  copy.weights = memory.back().tensor(batch.weights.shape, DType::kFloat32);
  return copy;
}

}  // namespace weft::test

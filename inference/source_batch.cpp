#include "inference/source_batch.h"

#include <algorithm>
#include <numeric>

#include <fmt/format.h>

#include "data/batch_builder.h"
#include "runtime/error.h"

namespace weft {

SearchLimits SearchLimits::from(const DecodingConfig& config, std::int64_t model_max_length) {
  SearchLimits limits{.min_length = config.min_length + 1, .max_length = model_max_length, .ratio = config.max_length_ratio};
  if (config.max_length > 0) limits.max_length = std::min(config.max_length, model_max_length);
  if (limits.min_length > limits.max_length) {
    fail_input(fmt::format("decoding.min_length: {} is more than the longest output, {} tokens", config.min_length, limits.max_length - 1));
  }
  return limits;
}

std::int64_t SearchLimits::longest_output(std::int64_t source_length) const {
  constexpr std::int64_t kSlack = 10;
  const double by_ratio = std::min(ratio * static_cast<double>(source_length - 1), 1e15);
  return std::clamp(static_cast<std::int64_t>(by_ratio) + kSlack + 1, min_length, max_length);
}

std::vector<SourceBatch> cut_source_batches(std::span<const SentenceExtent> sentences, std::int64_t batch_size, int beams) {
  std::vector<std::size_t> order(sentences.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  std::stable_sort(order.begin(), order.end(),
                   [&](std::size_t a, std::size_t b) { return sentences[a].source_length > sentences[b].source_length; });
  std::vector<SourceBatch> batches;
  for (const std::size_t i : order) {
    const auto [length, steps] = sentences[i];
    const auto fits = [&, length = length, steps = steps](const SourceBatch& batch) {
      const auto hypotheses = (static_cast<std::int64_t>(batch.sentences.size()) + 1) * beams;
      return batch.rows + length <= batch_size && hypotheses * std::max(batch.max_steps, steps) <= kCacheRowsPerToken * batch_size;
    };
    if (batches.empty() || !fits(batches.back())) batches.push_back({.max_source_length = length});  // the first is the longest
    SourceBatch& batch = batches.back();
    batch.sentences.push_back(i);
    batch.rows += length;
    batch.max_steps = std::max(batch.max_steps, steps);
  }
  return batches;
}

Rows upload_sources(Context& ctx, std::span<const std::vector<std::int32_t>> sentences, const SourceBatch& batch, std::int64_t vocab_size) {
  const auto count = static_cast<std::int64_t>(batch.sentences.size());
  const BatchExtent extent{.sequences = count,
                           .source_rows = batch.rows,
                           .target_rows = 0,
                           .max_source_length = batch.max_source_length,
                           .max_target_length = 0};
  const std::int64_t bytes = batch_bytes(extent);
  const Tensor block = ctx.memory.saved("decoding sources", {bytes}, DType::kUInt8);
  const Rows rows = view_batch(block, extent).source;
  if (!ctx.device.computes()) return rows;
  const Memory host = ctx.device.allocate(bytes, MemoryKind::kPinnedHost);
  std::vector<RowSource> sources;
  for (const std::size_t i : batch.sentences) sources.push_back({.tokens = sentences[i], .number = static_cast<std::int64_t>(i)});
  const Tensor host_block = host.tensor({bytes}, DType::kUInt8);
  fill_rows(view_batch(host_block, extent).source, sources, vocab_size);
  ctx.device.copy(ctx.stream, block, host_block);
  ctx.stream.synchronize();  // `host` ends here
  return rows;
}

}  // namespace weft

#include "inference/alignment.h"

#include <algorithm>

#include "data/batch_builder.h"

namespace weft {
namespace {

BatchExtent extent_of(const SourceBatch& batch, TokenSequences targets, bool computes) {
  const auto count = static_cast<std::int64_t>(batch.sentences.size());
  BatchExtent extent{.sequences = count,
                     .source_rows = batch.rows,
                     .target_rows = count * batch.max_steps,
                     .max_source_length = batch.max_source_length,
                     .max_target_length = batch.max_steps};
  if (!computes) return extent;
  extent.target_rows = 0;
  for (const std::size_t i : batch.sentences) extent.target_rows += static_cast<std::int64_t>(targets[i].size());
  return extent;
}

/// Both sides of a batch in saved memory of ctx; the decoder reads bos first.
Batch upload(Context& ctx, const SearchProblem& problem, TokenSequences sources, TokenSequences targets, const SourceBatch& batch) {
  const BatchExtent extent = extent_of(batch, targets, ctx.device.computes());
  const std::int64_t bytes = batch_bytes(extent);
  const Tensor block = ctx.memory.saved("aligned sentences", {bytes}, DType::kUInt8);
  if (!ctx.device.computes()) return view_batch(block, extent);
  const Memory host = ctx.device.allocate(bytes, MemoryKind::kPinnedHost);
  const Batch on_host = view_batch(host, extent);
  std::vector<RowSource> source, target;
  for (const std::size_t i : batch.sentences) {
    source.push_back({.tokens = sources[i]});
    target.push_back({.tokens = targets[i], .first = problem.target.bos});
  }
  fill_rows(on_host.source, source, problem.source_vocab_size);
  fill_rows(on_host.target, target, problem.generator.vocab_size());
  ctx.device.copy(ctx.stream, block, host.tensor({bytes}, DType::kUInt8));
  ctx.stream.synchronize();  // `host` ends here
  return view_batch(block, extent);
}

}  // namespace

void align_batch(Context& ctx, const SearchProblem& problem, TokenSequences sources, TokenSequences targets, const SourceBatch& batch,
                 std::span<Alignment> alignments) {
  const StepArena::Mark mark = ctx.memory.mark();
  const Batch rows = upload(ctx, problem, sources, targets, batch);
  const Tensor weights = ctx.memory.saved("alignment", {rows.target.rows, batch.max_source_length}, DType::kFloat32);
  problem.generator.attend(ctx, rows.source, rows.target, weights);
  if (ctx.device.computes()) {
    std::vector<float> host(static_cast<std::size_t>(weights.elements()));
    ctx.device.copy(ctx.stream, Tensor(host.data(), weights.shape, weights.dtype), weights);
    ctx.stream.synchronize();
    auto row = host.begin();
    for (const std::size_t i : batch.sentences) {
      for (std::size_t t = 0; t < targets[i].size(); ++t, row += batch.max_source_length) {
        alignments[i].emplace_back(row, row + static_cast<std::ptrdiff_t>(sources[i].size()));
      }
    }
  }
  ctx.memory.release(mark);
}

std::vector<Alignment> align(Context& ctx, const SearchProblem& problem, TokenSequences sources, TokenSequences targets) {
  std::vector<SentenceExtent> extents;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    extents.push_back(
        {.source_length = static_cast<std::int64_t>(sources[i].size()), .steps = static_cast<std::int64_t>(targets[i].size())});
  }
  std::vector<Alignment> alignments(sources.size());
  for (const SourceBatch& batch : cut_source_batches(extents, std::max<std::int64_t>(problem.batch_size / kAlignedShare, 1), 1)) {
    align_batch(ctx, problem, sources, targets, batch, alignments);
  }
  return alignments;
}

std::vector<std::pair<std::int64_t, std::int64_t>> hard_alignment(const Alignment& alignment) {
  std::vector<std::pair<std::int64_t, std::int64_t>> pairs;
  for (std::size_t t = 0; t + 1 < alignment.size(); ++t) {
    const auto best = std::ranges::max_element(alignment[t]);
    if (best + 1 != alignment[t].end()) pairs.emplace_back(best - alignment[t].begin(), static_cast<std::int64_t>(t));
  }
  return pairs;
}

}  // namespace weft

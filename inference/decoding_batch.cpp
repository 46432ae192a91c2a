#include "inference/decoding_batch.h"

#include "runtime/error.h"

namespace weft {

DecodingBatch::DecodingBatch(Context& ctx, const SearchProblem& problem, std::span<const std::vector<std::int32_t>> sources,
                             const SourceBatch& batch, int beams)
    : ctx_(ctx), problem_(problem), mark_(ctx.memory.mark()), live_(static_cast<std::int64_t>(batch.sentences.size())) {
  const std::int64_t most = live_ * beams;
  const Rows rows = upload_sources(ctx, sources, batch, problem.source_vocab_size);
  state_ = problem.generator.start(ctx, rows, beams, batch.max_steps);
  if (!ctx.device.computes()) {
    live_ = most;  // the dry device runs the largest step there can be
    return;
  }
  host_logits_ = ctx.device.allocate(host_logits_bytes(problem, most), MemoryKind::kPinnedHost);
  if (beams == 1) return;
  std::vector<std::int32_t> firsts;
  for (std::int64_t sentence = 0; sentence < live_; ++sentence) firsts.push_back(static_cast<std::int32_t>(sentence * beams));
  live_ = most;
  reorder(firsts);
}

DecodingBatch::~DecodingBatch() {
  ctx_.memory.release(mark_);
}

Tensor DecodingBatch::upload(std::string_view name, std::vector<std::int32_t>& ids) {
  const Shape shape{live_};
  const Tensor tensor = ctx_.memory.scratch(name, shape, DType::kInt32);
  if (ctx_.device.computes()) ctx_.device.copy(ctx_.stream, tensor, Tensor(ids.data(), shape, DType::kInt32));
  return tensor;
}

Tensor DecodingBatch::step(std::vector<std::int32_t>& last_tokens) {
  const StepArena::Scope scope(ctx_.memory);
  const Shape shape{live_, problem_.generator.vocab_size()};
  const Tensor tokens = upload("last tokens", last_tokens);
  const Tensor logits = ctx_.memory.scratch("logits", shape, problem_.logits_dtype);
  problem_.generator.step(ctx_, *state_, tokens, logits);
  if (!ctx_.device.computes()) return {};
  const Tensor host = host_logits_.tensor(shape, problem_.logits_dtype);
  ctx_.device.copy(ctx_.stream, host, logits);
  ctx_.stream.synchronize();
  return host;
}

void DecodingBatch::reorder(std::vector<std::int32_t>& parents) {
  const StepArena::Scope scope(ctx_.memory);
  if (ctx_.device.computes()) {
    const auto count = static_cast<std::int64_t>(parents.size());
    bool same = count == live_;
    for (std::size_t i = 0; i < parents.size() && same; ++i) same = parents[i] == static_cast<std::int32_t>(i);
    if (same) return;
    live_ = count;
  }
  problem_.generator.reorder(ctx_, *state_, upload("parents", parents));
  ctx_.stream.synchronize();  // `parents` may end
}

std::int64_t host_logits_bytes(const SearchProblem& problem, std::int64_t hypotheses) {
  return hypotheses * problem.generator.vocab_size() * size_of(problem.logits_dtype);
}

std::vector<SourceBatch> cut_search_batches(const SearchProblem& problem, std::span<const std::vector<std::int32_t>> sources) {
  std::vector<SentenceExtent> extents;
  for (const std::vector<std::int32_t>& source : sources) {
    if (source.empty()) fail("decoding: a source without its end token");
    const auto length = static_cast<std::int64_t>(source.size());
    extents.push_back({.source_length = length, .steps = problem.limits.longest_output(length)});
  }
  return cut_source_batches(extents, problem.batch_size, problem.beam_size);
}

}  // namespace weft

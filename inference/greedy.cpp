#include "inference/greedy.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {
namespace {

/// Which tokens may come next.
struct Allowed {
  SpecialIds special;
  bool unk = false, end = true;
};

template <class Real>
std::int32_t most_probable(std::span<const Real> logits, const Allowed& allowed) {
  Real best = -std::numeric_limits<Real>::infinity();
  std::int32_t token = -1;
  for (std::size_t v = 0; v < logits.size(); ++v) {
    if (!(logits[v] > best)) continue;
    const auto id = static_cast<std::int32_t>(v);
    if (id == allowed.special.bos || (id == allowed.special.unk && !allowed.unk) || (id == allowed.special.eos && !allowed.end)) continue;
    best = logits[v];
    token = id;
  }
  if (token < 0 || !std::isfinite(best)) fail("decoding: the logits are not finite");
  return token;
}

std::int32_t most_probable(const Tensor& row, const Allowed& allowed) {
  if (row.dtype == DType::kFloat64) return most_probable<double>(row.span<double>(), allowed);
  return most_probable<float>(row.span<float>(), allowed);
}

/// Copies ids to scratch memory of ctx, which the caller's Scope frees; `ids` must stay until the stream is done.
Tensor upload(Context& ctx, std::string_view name, std::vector<std::int32_t>& ids) {
  const Shape shape{static_cast<std::int64_t>(ids.size())};
  const Tensor tensor = ctx.memory.scratch(name, shape, DType::kInt32);
  ctx.device.copy(ctx.stream, tensor, Tensor(ids.data(), shape, DType::kInt32));
  return tensor;
}

/// The hypotheses of a batch that have not ended, one a sentence.
class Hypotheses {
 public:
  Hypotheses(const SearchProblem& problem, std::span<const std::vector<std::int32_t>> sources, const SourceBatch& batch,
             std::span<std::vector<std::int32_t>> outputs)
      : problem_(problem), sources_(sources), outputs_(outputs), live_(batch.sentences), last_tokens_(live_.size(), problem.target.bos) {}

  bool empty() const { return live_.empty(); }
  std::vector<std::int32_t>& last_tokens() { return last_tokens_; }

  /// Appends the next token of each; returns the places of those that go on.
  std::vector<std::int32_t> extend(const Tensor& logits) {
    std::vector<std::int32_t> parents;
    std::vector<std::size_t> going_on;
    last_tokens_.clear();
    for (std::size_t h = 0; h < live_.size(); ++h) {
      std::vector<std::int32_t>& output = outputs_[live_[h]];
      output.push_back(next_token(live_[h], logits.rows(static_cast<std::int64_t>(h), 1)));
      if (output.back() == problem_.target.eos) continue;
      parents.push_back(static_cast<std::int32_t>(h));
      going_on.push_back(live_[h]);
      last_tokens_.push_back(output.back());
    }
    live_ = std::move(going_on);
    return parents;
  }

 private:
  std::int32_t next_token(std::size_t sentence, const Tensor& logits) const {
    const auto length = static_cast<std::int64_t>(outputs_[sentence].size()) + 1;  // with the token to come
    const auto source_length = static_cast<std::int64_t>(sources_[sentence].size());
    if (length >= problem_.limits.longest_output(source_length)) return problem_.target.eos;
    return most_probable(logits, {.special = problem_.target, .unk = problem_.allow_unk, .end = length >= problem_.limits.min_length});
  }

  const SearchProblem& problem_;
  std::span<const std::vector<std::int32_t>> sources_;
  std::span<std::vector<std::int32_t>> outputs_;
  std::vector<std::size_t> live_;          // the sentence of each hypothesis
  std::vector<std::int32_t> last_tokens_;  // of each hypothesis
};

}  // namespace

void greedy_search_batch(Context& ctx, const SearchProblem& problem, std::span<const std::vector<std::int32_t>> sources,
                         const SourceBatch& batch, std::span<std::vector<std::int32_t>> outputs) {
  const StepArena::Mark mark = ctx.memory.mark();
  const std::int64_t vocab_size = problem.generator.vocab_size();
  const Rows rows = upload_sources(ctx, sources, batch, problem.source_vocab_size);
  const std::unique_ptr<DecodeState> state = problem.generator.start(ctx, rows, 1, batch.max_steps);
  Hypotheses hypotheses(problem, sources, batch, outputs);
  const auto count = static_cast<std::int64_t>(batch.sentences.size());
  const bool computes = ctx.device.computes();
  Memory host;
  if (computes) host = ctx.device.allocate(count * vocab_size * size_of(problem.logits_dtype), MemoryKind::kPinnedHost);
  for (std::int64_t step = 0; step < batch.max_steps && !hypotheses.empty(); ++step) {
    const StepArena::Scope scope(ctx.memory);
    const auto live = static_cast<std::int64_t>(hypotheses.last_tokens().size());
    const Tensor tokens = upload(ctx, "last tokens", hypotheses.last_tokens());
    const Tensor logits = ctx.memory.scratch("logits", {live, vocab_size}, problem.logits_dtype);
    problem.generator.step(ctx, *state, tokens, logits);
    if (!computes) {
      problem.generator.reorder(ctx, *state, ctx.memory.scratch("parents", {live}, DType::kInt32));
      continue;
    }
    const Tensor host_logits = host.tensor({live, vocab_size}, problem.logits_dtype);
    ctx.device.copy(ctx.stream, host_logits, logits);
    ctx.stream.synchronize();
    std::vector<std::int32_t> parents = hypotheses.extend(host_logits);
    if (parents.empty() || static_cast<std::int64_t>(parents.size()) == live) continue;
    problem.generator.reorder(ctx, *state, upload(ctx, "parents", parents));
    ctx.stream.synchronize();  // `parents` ends here
  }
  ctx.memory.release(mark);
}

std::vector<std::vector<std::int32_t>> greedy_search(Context& ctx, const SearchProblem& problem,
                                                     std::span<const std::vector<std::int32_t>> sources) {
  std::vector<std::int64_t> lengths;
  for (const std::vector<std::int32_t>& source : sources) {
    if (source.empty()) fail("decoding: a source without its end token");
    lengths.push_back(static_cast<std::int64_t>(source.size()));
  }
  std::vector<std::vector<std::int32_t>> outputs(sources.size());
  for (const SourceBatch& batch : cut_source_batches(lengths, problem.limits, problem.batch_size)) {
    greedy_search_batch(ctx, problem, sources, batch, outputs);
  }
  return outputs;
}

}  // namespace weft

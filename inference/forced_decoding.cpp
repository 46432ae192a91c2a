#include "inference/forced_decoding.h"

#include <algorithm>

#include <fmt/format.h>

#include "inference/decoding_batch.h"
#include "inference/search/next_tokens.h"
#include "runtime/error.h"

namespace weft {

void score_targets_batch(Context& ctx, const SearchProblem& problem, TokenSequences sources, TokenSequences targets,
                         const SourceBatch& batch, std::span<std::vector<double>> log_probs) {
  DecodingBatch decoding(ctx, problem, sources, batch, 1);
  const bool computes = ctx.device.computes();
  std::vector<std::size_t> live = batch.sentences;
  std::vector<std::int32_t> read(live.size(), problem.target.bos);
  for (std::size_t t = 0; t < static_cast<std::size_t>(batch.max_steps) && !live.empty(); ++t) {
    const Tensor logits = decoding.step(read);
    std::vector<std::int32_t> parents;
    if (computes) {
      for (std::size_t i = 0; i < live.size(); ++i) read[i] = targets[live[i]][t];
      const std::vector<double> found = log_probs_of(logits, read);
      for (std::size_t i = 0; i < live.size(); ++i) {
        log_probs[live[i]].push_back(found[i]);
        if (t + 1 < targets[live[i]].size()) parents.push_back(static_cast<std::int32_t>(i));
      }
      for (std::size_t i = 0; i < parents.size(); ++i) {
        const auto parent = static_cast<std::size_t>(parents[i]);
        live[i] = live[parent];
        read[i] = read[parent];
      }
      live.resize(parents.size());
      read.resize(parents.size());
    }
    if (!live.empty()) decoding.reorder(parents);
  }
}

SearchProblem scoring_problem(SearchProblem problem, std::int64_t max_length) {
  problem.limits.max_length = max_length;
  return problem;
}

std::vector<std::vector<double>> score_targets(Context& ctx, const SearchProblem& problem, TokenSequences sources, TokenSequences targets) {
  if (sources.size() != targets.size()) fail(fmt::format("scoring: {} sources, {} targets", sources.size(), targets.size()));
  std::vector<SentenceExtent> extents;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (sources[i].empty() || targets[i].empty()) fail("scoring: a source or a target without its end token");
    const auto length = static_cast<std::int64_t>(targets[i].size()), limit = problem.limits.max_length;
    if (length > limit) fail(fmt::format("scoring: a target of {} tokens, the longest may have {}", length, limit));
    extents.push_back({.source_length = static_cast<std::int64_t>(sources[i].size()),
                       .steps = std::clamp(length, std::min(kFewestScoredSteps, limit), limit)});
  }
  std::vector<std::vector<double>> log_probs(sources.size());
  for (const SourceBatch& batch : cut_source_batches(extents, problem.batch_size, 1)) {
    score_targets_batch(ctx, problem, sources, targets, batch, log_probs);
  }
  return log_probs;
}

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "inference/search/search_problem.h"
#include "inference/source_batch.h"
#include "runtime/context.h"

namespace weft {

using TokenSequences = std::span<const std::vector<std::int32_t>>;

/// A problem for given targets: they are not bound by what may be generated, and may have `max_length` tokens.
SearchProblem scoring_problem(SearchProblem, std::int64_t max_length);

/// Log probabilities (nats) of the tokens of each target, given its source and what stands before: the generator reads the target token by
/// token, many sentences together, and those that have ended leave. Both sides end in eos, targets are without bos and at most
/// limits.max_length long. Of the problem beam_size and allow_unk do not matter. At most `scoring_memory` of ctx.
std::vector<std::vector<double>> score_targets(Context&, const SearchProblem&, TokenSequences sources, TokenSequences targets);

/// Shorter targets are batched as if they were this long, which bounds the logits of a batch.
inline constexpr std::int64_t kFewestScoredSteps = 16;

/// One batch of it: log_probs[i] for each sentence i of the batch. On the dry device every target has max_steps tokens.
void score_targets_batch(Context&, const SearchProblem&, TokenSequences sources, TokenSequences targets, const SourceBatch&,
                         std::span<std::vector<double>> log_probs);

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "inference/forced_decoding.h"
#include "inference/search/search_problem.h"
#include "inference/source_batch.h"
#include "runtime/context.h"

namespace weft {

/// How much a target looks at its source: a row for each target token, a weight for each source token; end tokens are rows and columns too.
/// A row sums to 1.
using Alignment = std::vector<std::vector<float>>;

/// Reads the finished targets once more, all tokens of one at once: the weights of the cross-attention in the last layer of the decoder,
/// when the token is predicted, averaged over the heads. Both sides end in eos, targets are without bos. At most `decoding_memory` of
/// ctx, of a problem with `align`.
std::vector<Alignment> align(Context&, const SearchProblem&, TokenSequences sources, TokenSequences targets);

/// For each target token but the end token the source token with the largest weight, the first of equals, as (source, target); none where
/// that is the source's end token.
std::vector<std::pair<std::int64_t, std::int64_t>> hard_alignment(const Alignment&);

/// One batch of `align`: alignments[i] for each sentence i of the batch. On the dry device every target has max_steps tokens.
void align_batch(Context&, const SearchProblem&, TokenSequences sources, TokenSequences targets, const SourceBatch&,
                 std::span<Alignment> alignments);

/// Tokens a batch of `align` has at most on the source side, for each of decoding.batch_size: whole targets take more memory than steps.
inline constexpr std::int64_t kAlignedShare = 4;

}  // namespace weft

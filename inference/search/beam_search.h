#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "inference/search/hypothesis.h"
#include "inference/search/search_problem.h"
#include "inference/source_batch.h"
#include "runtime/context.h"

namespace weft {

/// For every source (ids with eos) its n_best hypotheses, best score first, in the order of the sources.
///
/// At every length all continuations of the live hypotheses of a sentence are sorted by summed log probability, ties to the better ranked
/// parent, then to the lower id. Those that end and rank among the first beam_size finish; the best beam_size that do not end live on. A
/// sentence is done when beam_size hypotheses have finished or none lives (as fairseq does it). The length penalty only orders the
/// finished. A beam of one is greedy search. bos is never generated, unk only with allow_unk, the end token not before min_length and
/// always at the longest output, so every output ends; probabilities are of the whole vocabulary all the same. Of the logits themselves
/// only the repetition penalty takes: its probabilities are of the penalized ones.
///
/// Sentences of similar length are decoded together; those that are done leave. Takes saved memory and scratch of ctx, at most what
/// `decoding_memory` says, and gives it back. Logits that are not finite fail (exit 78).
std::vector<std::vector<Hypothesis>> beam_search(Context&, const SearchProblem&, std::span<const std::vector<std::int32_t>> sources);

/// One batch of it: outputs[i] for each sentence i of the batch. On the dry device, which computes nothing, no sentence ends before
/// max_steps.
void beam_search_batch(Context&, const SearchProblem&, std::span<const std::vector<std::int32_t>> sources, const SourceBatch&,
                       std::span<std::vector<Hypothesis>> outputs);

}  // namespace weft

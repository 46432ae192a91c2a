#pragma once
#include <cstdint>

#include "inference/search_problem.h"
#include "runtime/kernels/table.h"

namespace weft {

/// Bytes of arena that no batch of `beam_search` exceeds: the peak of the same code run on the dry device with `stands_for`'s workspace
/// sizes, for the most sentences at once and for the longest outputs. The model's parameters are bound, to real or made-up memory.
std::int64_t decoding_arena_bytes(const SearchProblem&, const KernelTable& stands_for, std::int64_t max_source_length);

/// The same for `score_targets`, with targets of up to limits.max_length tokens.
std::int64_t scoring_arena_bytes(const SearchProblem&, const KernelTable& stands_for, std::int64_t max_source_length);

}  // namespace weft

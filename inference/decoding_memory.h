#pragma once
#include <cstdint>

#include "inference/search/search_problem.h"
#include "runtime/kernels/table.h"

namespace weft {

/// Bytes that no batch exceeds: of the arena, the peak of the same code run on the dry device with `stands_for`'s workspace sizes, for the
/// most sentences at once and for the longest outputs; and of the logits in host memory. The model's parameters are bound, to real or
/// made-up memory.
struct DecodingMemory {
  std::int64_t arena = 0, host_logits = 0;
};

/// Of `beam_search`, `sample_outputs` and, where the problem asks for it, `align`.
DecodingMemory decoding_memory(const SearchProblem&, const KernelTable& stands_for, std::int64_t max_source_length);

/// Of `score_targets`, with sources and targets of up to `max_length` tokens.
DecodingMemory scoring_memory(const SearchProblem&, const KernelTable& stands_for, std::int64_t max_length);

}  // namespace weft

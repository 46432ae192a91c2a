#pragma once
#include <cstdint>
#include <span>
#include <vector>

#include "inference/search/hypothesis.h"
#include "runtime/context.h"

namespace weft {

/// For every source (ids with eos) its n_best outputs, each drawn by itself, best score first. What is drawn is a function of
/// problem.sampling->seed, the number of the source (numbers[i]: of its line), the place of the draw among its n_best and the step, so it
/// does not depend on what else is decoded. The rules of beam_search on bos, unk and the end token hold. At most `decoding_memory`.
std::vector<std::vector<Hypothesis>> sample_outputs(Context&, const SearchProblem&, std::span<const std::vector<std::int32_t>> sources,
                                                    std::span<const std::int64_t> numbers);

}  // namespace weft

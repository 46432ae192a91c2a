#pragma once
#include <cstdint>
#include <string_view>

namespace weft {

/// The edits of TER: shifts of runs of words, each of cost 1, as long as the best one lowers the edit distance, and what distance is left.
std::int64_t edits_with_shifts(std::u32string_view hypothesis, std::u32string_view reference);

}  // namespace weft

#pragma once
#include <cstdint>

#include "data/text/parallel_text.h"

namespace weft {

/// Reads a text from end to end, before anything is learned from it, and returns its lines. What no later step could name is an error with
/// file and line: bytes that are not UTF-8 where the policy is `error`, with the encoding they look like; UTF-16 whatever the policy; and
/// lines that end in CR alone, which would be one endless line.
std::int64_t check_text(const TextColumn&, InvalidUtf8 policy);

/// Pairs of a text, checked in this way. Unequal line counts (both are named), no lines at all and lines without exactly one tab are
/// errors.
std::int64_t check_pairs(const ParallelText&, InvalidUtf8 policy);

}  // namespace weft

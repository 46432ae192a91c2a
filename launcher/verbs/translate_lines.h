#pragma once
#include <string>
#include <vector>

#include "launcher/verbs/decoding_run.h"

namespace weft {

/// The best translation of every line, in order; the ranks share the work. Rank 0 has the lines and gets the answers, the other ranks
/// have none. A failure of any rank ends all of them.
std::vector<std::string> translate_lines(Job&, DecodingRun&, std::vector<std::string> lines);

}  // namespace weft

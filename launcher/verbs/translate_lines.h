#pragma once
#include "launcher/verbs/decoding_run.h"
#include "parallel/lines.h"

namespace weft {

/// The best translation of every line, in order; the ranks share the work. Rank 0 has the lines and gets the answers, the other ranks
/// have none. A failure of any rank ends all of them.
Lines translate_lines(Job&, DecodingRun&, const Lines&);

}  // namespace weft

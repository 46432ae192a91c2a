#pragma once
#include "launcher/ranks/job.h"
#include "launcher/start/read.h"

namespace weft {

/// Phase 2: all ranks run the same program on the same configuration, or all end with exit 64 and the reason. Nothing was touched before.
void agree(Job&, const Configured&);

}  // namespace weft

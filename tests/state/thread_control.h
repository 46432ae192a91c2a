#pragma once
#include <functional>

#include "parallel/control.h"

namespace weft::test {

/// Runs `body` once for each rank of a job, each in a thread, with a Control between them; rethrows the first failure by rank. A Control
/// that is called by another thread than its rank's own fails: in a real job only the main thread may talk to others.
void run_ranks(int ranks, const std::function<void(Control&)>& body);

}  // namespace weft::test

#pragma once
#include <functional>

#include "parallel/mesh.h"

namespace weft {

/// Runs `body` once for each of `ranks` ranks, each in a thread of this process, on a mesh of data x tensor ranks; for tests. Rethrows the
/// failure that came first; the other ranks are released from whatever they wait for, and fail. Each mesh may be used by its thread only.
void run_ranks(int ranks, const ParallelConfig&, const std::function<void(Mesh&)>& body);
/// All ranks data parallel.
void run_ranks(int ranks, const std::function<void(Mesh&)>& body);

}  // namespace weft

#pragma once
#include <memory>

#include "parallel/mesh.h"

namespace weft {

/// One rank of a group that exists in name only, beside the dry device: takes memory from it, checks sizes, exchanges nothing. A dry run
/// measures with it what one rank of a larger job holds.
std::unique_ptr<Communicator> make_dry_communicator(int rank, int size);
/// Of the first rank of such a job; without control.
Mesh make_dry_mesh(Grid);

}  // namespace weft

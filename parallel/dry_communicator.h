#pragma once
#include <memory>

#include "parallel/communicator.h"

namespace weft {

/// One rank of a group that exists in name only, beside the dry device: takes memory from it, checks sizes, exchanges nothing. A dry run
/// measures with it what one rank of a larger job holds.
std::unique_ptr<Communicator> make_dry_communicator(int rank, int size);

}  // namespace weft

#pragma once
#include "parallel/mpi/mpi_session.h"

namespace weft::test {

/// Of the program; started before the first test.
MpiSession& mpi_session();

}  // namespace weft::test

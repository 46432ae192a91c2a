// gtest under mpirun: every rank runs the same tests, and the program fails when one of its ranks does.
#include <cstdio>

#include <gtest/gtest.h>

#include "tests/parallel/mpi_test.h"

namespace weft::test {

MpiSession& mpi_session() {
  static MpiSession session(true);
  return session;
}

}  // namespace weft::test

int main(int argc, char** argv) {
  testing::InitGoogleTest(&argc, argv);
  weft::test::mpi_session();
  return RUN_ALL_TESTS();
}

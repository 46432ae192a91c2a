#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "parallel/communicator.h"
#include "runtime/device.h"

namespace weft::test {

/// Where the tensors of a case lie: in memory of Communicator::allocate, or anywhere.
enum class Place { kAllocated, kAnywhere };

struct CollectiveCase {
  std::int64_t count = 0;  // elements of a chunk
  DType dtype = DType::kFloat32;
  Place place = Place::kAllocated;
  int ranks_per_host = 1000;  // sums are taken inside each host first
};
std::string describe(const CollectiveCase&);

/// Counts of 0, 1, odd and large, in every dtype, at both places. Large is more than a staging buffer holds.
std::vector<CollectiveCase> all_cases();

/// Runs every verb, in place and not, on numbers that this rank knows of all ranks, and compares bit for bit with sums taken in rank
/// order. A group calls it on all its ranks; fails (gtest) on the rank that sees a difference.
void check_collectives(Communicator&, Device&, const CollectiveCase&);

/// Calls every verb over and over on tensors that are overwritten as soon as a call returns: a call that returns before the others have
/// read what they need gives wrong numbers.
void check_reuse(Communicator&, Device&, int rounds);

}  // namespace weft::test

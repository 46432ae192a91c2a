#pragma once
#include <string>

namespace weft {

/// What the flight records of a hang say together, for the log: lines of `  suspect   ...` and `  last      ...`. A rank that left no
/// record since `since` (seconds since 1970) was stopped, dead or cut off; else the ranks whose last collective has the lowest number
/// did not arrive where the others wait; when these are all of their host, or all ranks of several hosts wait in
/// one collective, perhaps the network. Empty
/// when no rank left a record.
std::string describe_hang(const std::string& run_dir, int ranks, double since);

}  // namespace weft

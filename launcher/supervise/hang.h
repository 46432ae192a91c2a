#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace weft {

/// When each rank's flight record in a run directory was written, in nanoseconds since 1970; ranks without one are missing.
using FlightTimes = std::map<int, std::int64_t>;
inline constexpr std::int64_t kUnknownTime = -1;  // the file system fails
FlightTimes flight_times(const std::string& run_dir, int ranks);
/// The ranks that have written one since `before`, as far as that is known.
std::vector<int> records_since(const std::string& run_dir, int ranks, const FlightTimes& before);

/// What the flight records of a hang say together, for the log: lines of `  suspect   ...` and `  last      ...`. A rank that has written
/// none since `before` (as it was when the job began: hosts and file systems may have other clocks) was stopped, dead or cut off. If all
/// have written one, the suspects are the ranks that did not arrive where the others wait: those whose last collective has the lowest
/// number. If every rank waits in a collective, on several hosts, the suspect is the network. Empty when no rank has written a record.
std::string describe_hang(const std::string& run_dir, int ranks, const FlightTimes& before);

}  // namespace weft

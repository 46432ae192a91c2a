#pragma once
#include <cstdint>
#include <string>

namespace weft {

/// Bytes of memory that this process may take: of the host, or of its control groups where that is less.
std::int64_t available_host_memory();

/// Bytes of memory that this process has taken: its program, libraries, data.
std::int64_t resident_memory();

/// The smallest memory limit of the control groups that this process is in and of all above them, of version 2 and of version 1
/// (cgroups(7)); the largest number where there is none. A job has a group of its own under Slurm and systemd, far below the root. The
/// files of the kernel lie under `root`.
std::int64_t control_group_limit(const std::string& root = "");

}  // namespace weft

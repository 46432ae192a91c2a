#pragma once
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "parallel/mpi/mpi_group.h"

namespace weft {

/// Memory that the processes of one host share, a segment for each, mapped into this process. It is a file of /dev/shm that loses its name
/// as soon as all have opened it, so nothing stays behind when a rank is killed, and giving it back is no collective; MPI's shared windows
/// have neither (and leave the other ranks waiting when one of them cannot allocate). The whole size is reserved at once, since a page that
/// cannot be had later would end the process with SIGBUS.
class HostMemory {
 public:
  /// Collective over `host`, whose ranks share a host; every rank names the same number of bytes. Zero bytes at first. When some rank
  /// cannot have its segment, null on every rank, and `cause` says why.
  static std::shared_ptr<HostMemory> map(const MpiGroup& host, std::int64_t bytes, std::string& cause);
  ~HostMemory();
  HostMemory(const HostMemory&) = delete;
  HostMemory& operator=(const HostMemory&) = delete;

  /// Of each rank, by rank, page-aligned; each rank's pages lie near it.
  const std::vector<std::byte*>& segments() const { return segments_; }

 private:
  HostMemory(std::byte* base, std::int64_t segment_bytes, int ranks);
  std::byte* base_;
  std::int64_t bytes_;
  std::vector<std::byte*> segments_;
};

}  // namespace weft

#pragma once

namespace weft {

/// What the process ends with; a supervisor and a batch script rely on these numbers (docs/reference.md).
enum class ExitCode : int {
  kDone = 0,
  kInternal = 1,       // device, library or internal error
  kBadInput = 64,      // configuration, data, paths, command line: not worth a retry
  kStopped = 75,       // stopped on request, checkpoint committed
  kHang = 76,          // no progress for parallel.hang_timeout
  kNoCheckpoint = 77,  // checkpoints exist and none is whole
  kNumerics = 78,      // too many non-finite updates in a row
  kStorage = 79,       // too many saves failed in a row; the older checkpoint is intact
};

}  // namespace weft

#pragma once
#include <string>

namespace weft {

/// Holds RUN/.lock: a run directory belongs to one job at a time. The lock is the kernel's (F_OFD_SETLK), freed by any death, so it is
/// never stale; the file says who holds it, for people. Rank 0 takes it.
class RunLock {
 public:
  enum class Without { kFail, kGoOn };  // on a file system that knows no locks
  /// Fails at once: with exit 64, naming the holder, when another job has it or there are no locks; with exit 79 on a disk error. The
  /// directory must exist.
  explicit RunLock(const std::string& run_dir, Without = Without::kFail);
  ~RunLock();
  RunLock(RunLock&& other) noexcept : descriptor_(other.descriptor_) { other.descriptor_ = -1; }
  RunLock& operator=(RunLock&&) = delete;

 private:
  int descriptor_ = -1;
};

}  // namespace weft

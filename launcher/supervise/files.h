#pragma once
#include <sys/types.h>

#include <optional>
#include <string>
#include <vector>

namespace weft {

/// Where an mpirun of Open MPI 4.1 keeps files that outlive a kill -9 of it.
struct MpirunFiles {
  std::string tmp_folder = "/tmp";  // TMPDIR
  std::string shm_folder = "/dev/shm";
  std::string host;  // the part before the first dot is in the names
  uid_t uid = 0;
  pid_t mpirun = 0;
  double started = 0;  // seconds since 1970: anything older belongs to somebody else
};

/// Removes the session folder TMP/ompi.HOST.UID/pid.PID of one mpirun, which must have ended, and the shared-memory segments
/// SHM/vader_segment.HOST.UID.JOB*.* whose job number stands in that folder's contact.txt. Touches nothing of another owner, another
/// job, or older than `started`, and follows no symbolic link. Returns the paths that were removed; a failure is not an error, since the
/// next start uses new names.
std::vector<std::string> remove_leftovers_of(const MpirunFiles&);

/// What a later start needs to remove the leftovers, should this process be killed together with its mpirun. A failure is no error.
void write_mpirun_record(const std::string& path, const MpirunFiles&);
/// Returns nothing without a record, for a record of another host, and while its mpirun runs.
std::optional<MpirunFiles> read_mpirun_record(const std::string& path, const MpirunFiles& here);

}  // namespace weft

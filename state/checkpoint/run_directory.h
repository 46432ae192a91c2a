#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "runtime/files/storage.h"
#include "runtime/log.h"

namespace weft {

// Names in a run directory. step-%012d is a committed checkpoint and nothing else is; .tmp-step-... is one being written, .trash-step-...
// one being deleted: what begins so was left by a run that died and is removed at the next start.

std::string step_folder(std::int64_t step);                                 // step-000000005000
std::string temporary_folder(std::int64_t step, const std::string& nonce);  // .tmp-step-000000005000-7f3a
std::string trash_folder(std::int64_t step, const std::string& nonce);      // .trash-step-000000005000-7f3a
std::optional<std::int64_t> parse_step_folder(const std::string& name);     // of exactly that form: step-5000.copy is none
/// Steps of all committed checkpoints, newest first. A run directory that does not exist has none.
std::vector<std::int64_t> list_steps(Storage&, const std::string& run_dir);
/// Removes what an earlier run left behind, while this one holds the run lock, and syncs the directory: a run that was killed between the
/// rename of its last checkpoint and the sync left a name that the disk does not have yet. A failure is logged and stops nothing.
void remove_leftovers(Storage&, const std::string& run_dir, Log&);

/// Deletes checkpoints that are no longer wanted, by renaming each to .trash-... first, so that a kill leaves no half checkpoint.
struct Prune {
  std::int64_t keep = 3;              // newest ones, at least two of which are whole
  std::int64_t committed = 0;         // just now: stays, whatever its number
  std::vector<std::int64_t> best;     // stay too
  std::vector<std::int64_t> damaged;  // known not to be whole: do not count
};
void prune_checkpoints(Storage&, const std::string& run_dir, const Prune&, Log&);
/// The steps that `prune_checkpoints` deletes, given all steps, newest first.
std::vector<std::int64_t> steps_to_prune(const std::vector<std::int64_t>& steps, const Prune&);

/// Eight hex digits, another at every call.
std::string make_nonce();

}  // namespace weft

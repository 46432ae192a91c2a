#include "launcher/start/claim.h"

#include <filesystem>
#include <system_error>

#include <fmt/format.h>

#include "launcher/ranks/together.h"
#include "launcher/start/model_path.h"
#include "runtime/error.h"
#include "state/checkpoint/run_directory.h"

namespace weft {
namespace {

namespace fs = std::filesystem;

std::string initial_checkpoint(const StartUp& start, const RunFiles& files) {
  const std::string& path = start.config.checkpoint.init_from;
  if (path.empty()) return "";
  if (!files.has_checkpoints()) return find_model(start.storage, path, "checkpoint.init_from");
  start.log.info("init", fmt::format("checkpoint.init_from is ignored: {} has checkpoints of its own", start.config.run_dir));
  return "";
}

}  // namespace

void make_run_directory(const std::string& run_dir) {
  const fs::path folder(run_dir);
  std::error_code error;
  if (fs::exists(folder, error)) {
    if (!fs::is_directory(folder, error))
      fail_input(fmt::format("{}: not a folder\n  expected  run_dir: a folder, or a name that is free", run_dir));
    return;
  }
  if (fs::is_symlink(fs::symlink_status(folder, error))) {
    fail_input(fmt::format("{}: is a symbolic link to {}, which is not there\n  expected  run_dir: a folder, or a name that is free",
                           run_dir, fs::read_symlink(folder, error).string()));
  }
  error.clear();
  if (folder.has_parent_path()) fs::create_directories(folder.parent_path(), error);
  if (!error) fs::create_directory(folder, error);
  if (error) fail_input(fmt::format("{}: cannot be made: {}", run_dir, error.message()));
  fs::permissions(folder, fs::perms::owner_all, error);
}

Claim claim_run_directory(const StartUp& start) {
  const std::string& run_dir = start.config.run_dir;
  Claim claim;
  on_root(start.job.control(), [&] {
    make_run_directory(run_dir);
    claim.lock.emplace(run_dir);
    claim.files.emplace(run_dir, !list_steps(start.storage, run_dir).empty());
    claim.files->require_own("config.yaml", start.config_text);
    start.log.add_file(run_dir + "/train.log");
    remove_leftovers(start.storage, run_dir, start.log);
    claim.initial = initial_checkpoint(start, *claim.files);
  });
  claim.initial = start.job.control().broadcast(claim.initial, 0);
  return claim;
}

}  // namespace weft

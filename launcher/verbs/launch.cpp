#include <memory>
#include <span>

#include <fmt/format.h>

#include "launcher/input/problem.h"
#include "launcher/ranks/job.h"
#include "launcher/ranks/watchdog.h"
#include "launcher/start/read.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/verbs.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr double kRanksFirstSeconds = 10;  // where the ranks can say themselves that they hang, they know more

/// What `weft launch` is asked.
struct LaunchOptions {
  int ranks = 0;  // 0: not given
  std::string hostfile;
  int max_relaunches = 10;
  std::vector<std::string> command;  // after `--`
};

/// The command after `--`, checked as the ranks will check it: what is wrong shows here, once, before anything is started.
Config checked_config(const std::vector<std::string>& command) {
  Options options("train", "");
  ConfigOptions train;
  add_config_options(options, train);
  if (command.front() != "train" || options.parse(std::span(command).subspan(1)) || train.dump) {
    fail_input(problem_text({.what = "launch: the command after -- is not train",
                             .found = fmt::format("{}", fmt::join(command, " ")),
                             .expected = "train --config FILE",
                             .nearest = command.front() == "train" ? "" : nearest_name(command.front(), {"train"}).value_or("")}));
  }
  if (train.files.empty() && train.sets.empty()) fail_input("launch: train: no configuration\n  expected  --config FILE");
  return load_config(train.files, train.sets, ConfigUse::kTrain).config;
}

int run_launch(const LaunchOptions& asked) {
  if (asked.ranks == 0) fail_input("launch: how many ranks?\n  expected  weft launch -n N -- train --config FILE");
  if (asked.command.empty()) fail_input("launch: no command after --\n  expected  weft launch -n N -- train --config FILE");
  if (asked.ranks == 1 && !asked.hostfile.empty()) {
    fail_input("launch: one rank runs on this host, and --hostfile is not read\n  expected  no --hostfile, or more ranks");
  }
  LaunchHost host = this_host();
  if (host.environment.contains("OMPI_COMM_WORLD_SIZE")) {
    fail_input("launch: runs under mpirun\n  expected  weft launch alone, which starts mpirun, or mpirun -n N weft train");
  }
  const Config config = checked_config(asked.command);
  Log log;
  if (asked.hostfile.empty() && asked.ranks > host.cores) {
    log.warn("launch", fmt::format("{} ranks share {} cores: each is slower than alone", asked.ranks, host.cores));
  }
  const SupervisedJob job{
      .command = make_job_command({.ranks = asked.ranks, .hostfile = asked.hostfile, .weft_arguments = asked.command}, host),
      .program = host.program,
      .ranks = asked.ranks,
      .hosts = asked.hostfile.empty() ? std::vector<std::string>{} : read_hostfile(asked.hostfile).hosts,
      .run_dir = config.run_dir,
      .max_relaunches = asked.max_relaunches,
      .start_seconds = kStartFactor * config.parallel.hang_timeout_seconds + kRanksFirstSeconds,
      .stop_grace_seconds = kSaveFactor * config.parallel.hang_timeout_seconds};
  const std::unique_ptr<Storage> storage = make_posix_storage();
  return supervise(job, *storage, log);
}

}  // namespace

Action launch_verb(Options& options) {
  const auto asked = std::make_shared<LaunchOptions>();
  options.whole("-n", asked->ranks, 1, kMostRanks, "N", "ranks of the job");
  options.path("--hostfile", asked->hostfile, "FILE", "hosts of the job, as Open MPI reads them: lines of HOST slots=K");
  options.whole("--max-relaunches", asked->max_relaunches, 0, 1 << 20, "K", "starts after a fault within any hour before it gives up; 10");
  options.command(asked->command, "-- train ...: the command that every rank runs");
  return [asked] { return run_launch(*asked); };
}

}  // namespace weft

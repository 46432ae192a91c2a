#include <cstdlib>

#include <fmt/format.h>

#include "launcher/input/problem.h"
#include "launcher/ranks/watchdog.h"
#include "launcher/supervise/supervisor.h"
#include "launcher/verbs.h"
#include "runtime/error.h"

namespace weft {
namespace {

constexpr double kRanksFirstSeconds = 10;  // where the ranks can say themselves that they hang, they know more

/// The command behind `--`, checked as the ranks will check it: what is wrong shows here, once, before anything is started.
Config checked_config(const std::vector<std::string>& arguments) {
  const CommandLine train = parse_command_line(arguments);
  if (train.verb != "train" || train.dump_config || !train.message.empty()) {
    fail_input(problem_text({.what = "launch: the command behind -- does not train",
                             .found = fmt::format("{}", fmt::join(arguments, " ")),
                             .expected = "train --config FILE"}));
  }
  if (train.config_files.empty() && train.sets.empty()) fail_input("launch: train: no configuration\n  expected  --config FILE");
  return load_config(train.config_files, train.sets, ConfigUse::kTrain).config;
}

}  // namespace

int run_launch(const Config&, const CommandLine& line) {
  if (line.ranks == 0) fail_input("launch: how many ranks?\n  expected  weft launch -n N -- train --config FILE");
  if (line.command.empty()) fail_input("launch: no command behind --\n  expected  weft launch -n N -- train --config FILE");
  if (line.ranks == 1 && !line.hostfile.empty()) {
    fail_input("launch: one rank runs on this host, and --hostfile is not read\n  expected  no --hostfile, or more ranks");
  }
  LaunchHost host = this_host();
  if (host.environment.contains("OMPI_COMM_WORLD_SIZE")) {
    fail_input("launch: runs under mpirun\n  expected  weft launch alone, which starts mpirun, or mpirun -n N weft train");
  }
  const Config config = checked_config(line.command);
  Log log;
  if (line.hostfile.empty() && line.ranks > host.cores) {
    log.warn("launch", fmt::format("{} ranks share {} cores: each is slower than alone", line.ranks, host.cores));
  }
  const SupervisedJob job{
      .command = make_job_command({.ranks = line.ranks, .hostfile = line.hostfile, .weft_arguments = line.command}, host),
      .program = host.program,
      .ranks = line.ranks,
      .hosts = line.hostfile.empty() ? std::vector<std::string>{} : read_hostfile(line.hostfile).hosts,
      .run_dir = config.run_dir,
      .max_relaunches = line.max_relaunches,
      .start_seconds = kStartFactor * config.parallel.hang_timeout_seconds + kRanksFirstSeconds,
      .stop_grace_seconds = kSaveFactor * config.parallel.hang_timeout_seconds};
  const std::unique_ptr<Storage> storage = make_posix_storage();
  return supervise(job, *storage, log);
}

}  // namespace weft

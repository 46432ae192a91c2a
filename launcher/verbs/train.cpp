#include <memory>

#include "launcher/ranks/crash_handler.h"
#include "launcher/ranks/job.h"
#include "launcher/ranks/machine.h"
#include "launcher/ranks/signals.h"
#include "launcher/start/agree.h"
#include "launcher/start/build.h"
#include "launcher/start/checkpoint.h"
#include "launcher/start/choose.h"
#include "launcher/start/claim.h"
#include "launcher/start/read.h"
#include "launcher/start/text.h"
#include "launcher/verbs.h"
#include "launcher/version.h"
#include "runtime/files/storage.h"
#include "runtime/log.h"
#include "training/trainer.h"

namespace weft {
namespace {

int train(Job& job, const Configured& read) {
  agree(job, read);
  install_stop_signals();
  share_cores(job.ranks_on_host());
  Log log = make_log(job);
  const std::unique_ptr<Storage> storage = make_posix_storage();
  const StartUp start{read.loaded.config, read.text, kVersion, job, *storage, log};

  Claim claim = claim_run_directory(start);
  const Text text = prepare_text(start, claim);
  defer_stops();
  const StopNotice notice([&log] { log.info("stop", "stop requested: saving after the current pass or group of lines"); });
  install_crash_handler(job.progress(), job.rank(), job.host());

  Beginning beginning = find_checkpoint(start, claim, text);
  const Choice choice = choose(start, text, beginning);
  const std::unique_ptr<Device> device = make_device(choice.machine);
  Trainer trainer(training_job(start, text, choice, *device));
  trainer.start(beginning.found ? &*beginning.found : nullptr, beginning.initial ? &*beginning.initial : nullptr);
  write_run_files(start, claim, text);
  beginning.found.reset();  // its files, once pruned, would keep their space as long as they are open
  const int code = static_cast<int>(trainer.run());
  job.progress().phase = Phase::kEnd;
  return code;
}

/// Where a phase fails, all ranks end with its exit code.
int run_train(const ConfigOptions& options) {
  const Configured read = read_for_ranks(options);
  const Config& config = read.loaded.config;
  RankWatch watch;
  if (!read.failure) watch.start(config.parallel.hang_timeout_seconds, config.run_dir);
  return on_ranks(watch, config.parallel, [&](Job& job) { return train(job, read); });
}

}  // namespace

Action train_verb(Options& options) {
  const auto config = std::make_shared<ConfigOptions>();
  add_config_options(options, *config);
  options.later("--profile");
  return [config] { return run_or_dump("train", *config, [&] { return run_train(*config); }); };
}

}  // namespace weft

#include "launcher/start/read.h"

#include <utility>

#include <fmt/format.h>

#include "runtime/error.h"

namespace weft {

void add_config_options(Options& options, ConfigOptions& config) {
  options.paths("-c,--config", config.files, "FILE...", "YAML files; a later one overrides an earlier one");
  options.texts("--set", config.sets, "SECTION.KEY=VALUE...", "one key after the files, for example training.train_steps=100K");
  options.flag("--dump-config", config.dump, "prints the effective configuration, every default written out, and stops");
}

int run_or_dump(const std::string& verb, const ConfigOptions& options, const std::function<int()>& run) {
  if (options.files.empty() && options.sets.empty()) fail_input(verb + ": no configuration\n  expected  --config FILE");
  if (!options.dump) return run();
  fmt::print("{}", dump_config(read_config(options, ConfigUse::kRead)));
  return static_cast<int>(ExitCode::kDone);
}

Configured read_for_ranks(const ConfigOptions& options) {
  Configured read;
  try {
    read.loaded = load_config(options.files, options.sets, ConfigUse::kTrain);
    read.text = dump_config(read.loaded.config);
  } catch (const Error&) {
    read.failure = std::current_exception();
  }
  return read;
}

Config read_config(const ConfigOptions& options, ConfigUse use) {
  LoadedConfig loaded = load_config(options.files, options.sets, use);
  print_notes(loaded);
  return std::move(loaded.config);
}

void print_notes(const LoadedConfig& loaded) {
  for (const std::string& note : loaded.notes) fmt::print(stderr, "weft: {}\n", note);
}

}  // namespace weft

#pragma once
#include <exception>
#include <functional>
#include <string>
#include <vector>

#include "launcher/config/config.h"
#include "launcher/input/options.h"

namespace weft {

/// What every verb with a configuration is asked: --config, --set, --dump-config.
struct ConfigOptions {
  std::vector<std::string> files, sets;
  bool dump = false;
};
void add_config_options(Options&, ConfigOptions&);

/// Refuses a verb without any configuration; prints the effective configuration where --dump-config asks; else runs the verb.
int run_or_dump(const std::string& verb, const ConfigOptions&, const std::function<int()>& run);

/// The configuration of a run, as this rank reads it.
struct Configured {
  LoadedConfig loaded;
  std::string text;            // as dump_config writes it
  std::exception_ptr failure;  // what is wrong with it, until all ranks can end with it
};
/// Phase 1 of a start: nothing but this rank's files is looked at.
Configured read_for_ranks(const ConfigOptions&);

/// Reads the configuration; names from elsewhere that were read as ours are told on stderr.
Config read_config(const ConfigOptions&, ConfigUse);
void print_notes(const LoadedConfig&);

}  // namespace weft

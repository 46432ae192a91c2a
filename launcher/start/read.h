#pragma once
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

/// Reads the configuration; names from elsewhere that were read as ours are told on stderr.
Config read_config(const ConfigOptions&, ConfigUse);
void print_notes(const LoadedConfig&);

}  // namespace weft

#pragma once
#include <string>
#include <vector>

#include "launcher/command_line.h"
#include "launcher/config.h"

namespace weft {

using VerbFunction = int (*)(const Config&, const CommandLine&);

/// What the program can be asked to do. A verb without `run` is known and not built yet.
struct Verb {
  std::string name;
  std::string summary;
  ConfigUse use = ConfigUse::kRead;
  bool takes_config = false;  // else `run` is handed the defaults
  VerbFunction run = nullptr;
};

const std::vector<Verb>& verbs();
const Verb* find_verb(const std::string& name);

/// Each returns what the process exits with, and throws Error where it cannot go on.
int run_vocab(const Config&, const CommandLine&);
int run_prepare(const Config&, const CommandLine&);
int run_train(const Config&, const CommandLine&);
int run_launch(const Config&, const CommandLine&);
int run_translate(const Config&, const CommandLine&);
int run_plan(const Config&, const CommandLine&);
int run_inspect(const Config&, const CommandLine&);

}  // namespace weft

#pragma once
#include <string>
#include <vector>

#include "launcher/command_line.h"
#include "launcher/config/config.h"
#include "launcher/ranks/job.h"

namespace weft {

using VerbFunction = int (*)(const Config&, const CommandLine&);
using RankedVerbFunction = int (*)(const Config&, Job&);
using SharedVerbFunction = int (*)(const CommandLine&, Job&);

/// What the program can be asked to do. A verb without `run` is known and not built yet.
struct Verb {
  std::string name;
  std::string summary;
  ConfigUse use = ConfigUse::kRead;
  bool takes_config = false;  // else `run` is handed the defaults
  VerbFunction run = nullptr;
  RankedVerbFunction run_on_ranks = nullptr;  // in place of `run`: what mpirun may start on several ranks
  SharedVerbFunction run_shared = nullptr;    // the same for a verb without configuration
  bool is_built() const { return run != nullptr || run_on_ranks != nullptr || run_shared != nullptr; }
};

const std::vector<Verb>& verbs();
const Verb* find_verb(const std::string& name);

/// Each returns what the process exits with, and throws Error where it cannot go on.
int run_vocab(const Config&, const CommandLine&);
int run_prepare(const Config&, const CommandLine&);
int run_train(const Config&, Job&);
int run_launch(const Config&, const CommandLine&);
int run_translate(const CommandLine&, Job&);
int run_score(const CommandLine&, Job&);
int run_evaluate(const CommandLine&, Job&);
int run_export(const CommandLine&, Job&);
int run_plan(const Config&, const CommandLine&);
int run_inspect(const Config&, const CommandLine&);

}  // namespace weft

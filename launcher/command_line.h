#pragma once
#include <string>
#include <vector>

namespace weft {

/// What was typed. Options a verb does not take are refused, so a field that is set belongs to the verb.
struct CommandLine {
  std::string verb;
  std::vector<std::string> config_files;  // --config FILE...
  std::vector<std::string> sets;          // --set section.key=value...
  bool dump_config = false;
  std::string model;                 // translate, score, evaluate, export --model
  int n_best = 0;                    // translate --n-best; 0: not given
  bool pieces = false;               // translate, score --pieces
  std::string source_file;           // score, evaluate --src
  std::string target_file;           // score --tgt
  std::string out;                   // prepare, export --out
  std::string format = "weft";       // export --format
  std::string path;                  // inspect PATH
  int ranks = 0;                     // plan --ranks, launch -n; 0: not given
  std::string hostfile;              // launch --hostfile
  int max_relaunches = 10;           // launch --max-relaunches
  std::vector<std::string> command;  // launch: all that stands behind --
  double device_memory_gb = 0;       // plan --device-memory; 0: not given
  bool json = false;                 // result lines as JSON
  std::string message;               // --help or --version: print this and exit 0; then nothing else counts

  std::string hypotheses, second_hypotheses;     // evaluate --hyp, --hyp2
  std::vector<std::string> references, metrics;  // evaluate --ref, --metrics
  std::string tokenizer;                         // evaluate --tokenize
};

/// `arguments` without the name of the program. Throws Error kBadInput with the nearest verb or option.
CommandLine parse_command_line(const std::vector<std::string>& arguments);

}  // namespace weft

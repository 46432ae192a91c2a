#include "launcher/command_line.h"

#include <algorithm>

#include <fmt/format.h>
#include <CLI/CLI.hpp>

#include "launcher/input/problem.h"
#include "launcher/input/unexpanded_path.h"
#include "launcher/verbs.h"
#include "launcher/version.h"
#include "runtime/error.h"

namespace weft {
namespace {

std::string general_help() {
  std::string text =
      "weft trains Transformers from one YAML file.\n\n"
      "  weft train --config configs/translation.yaml       train; the same line again continues\n"
      "  weft translate --model runs/ende < input > output  use what was trained\n"
      "  weft train --config FILE --dump-config             every key with its value\n"
      "  weft VERB --help                                   the options of a verb\n\nverbs\n";
  for (const Verb& verb : verbs()) {
    if (verb.is_built()) text += fmt::format("  {:<12}{}\n", verb.name, verb.summary);
  }
  text += "\nnot supported yet\n ";
  for (const Verb& verb : verbs()) {
    if (!verb.is_built()) text += " " + verb.name;
  }
  return text + "\n";
}

/// Every path of the command line goes through here.
template <class Target>
CLI::Option* add_path(CLI::App& app, const std::string& name, Target& target, const std::string& help) {
  return app.add_option(name, target, help)->check([](const std::string& path) -> std::string {
    const std::optional<std::string> expanded = expanded_form(path);
    return expanded ? problem_text({.what = "a path that is not expanded here", .found = path, .expected = *expanded}) : "";
  });
}

void add_options(CLI::App& app, const Verb& verb, CommandLine& line) {
  if (verb.takes_config) {
    add_path(app, "--config", line.config_files, "YAML files; a later one overrides an earlier one")->type_name("FILE...");
    app.add_option("--set", line.sets, "one key after the files, for example training.train_steps=100K")->type_name("SECTION.KEY=VALUE...");
    app.add_flag("--dump-config", line.dump_config, "prints the effective configuration, every default written out, and stops");
  }
  if (verb.name == "launch") {
    app.footer("-- train ...: the command that every rank runs");
    app.add_option("-n", line.ranks, "ranks of the job")->type_name("N")->check(CLI::Range(1, 1 << 20));
    add_path(app, "--hostfile", line.hostfile, "hosts of the job, as Open MPI reads them: lines of HOST slots=K")->type_name("FILE");
    app.add_option("--max-relaunches", line.max_relaunches, "starts after a fault within any hour before it gives up; 10")
        ->type_name("K")
        ->check(CLI::Range(0, 1 << 20));
  }
  if (verb.name == "translate" || verb.name == "score" || verb.name == "evaluate") {
    add_path(app, "--model", line.model, "a run directory, one of its checkpoints or an exported model")->type_name("DIR");
    app.add_option("--set", line.sets,
                   "another value of a key of section decoding, precision or parallel, or of seed, for example decoding.beam_size=1")
        ->type_name("SECTION.KEY=VALUE...");
    app.add_flag("--json", line.json, "one JSON object a line");
  }
  if (verb.name == "translate" || verb.name == "score") {
    app.add_flag("--pieces", line.pieces,
                 "adds ` ||| source pieces ||| output pieces`: what alignments and word scores count, the end tokens included");
  }
  if (verb.name == "translate") {
    app.add_option("--n-best", line.n_best, "the N best of every line, as `id ||| text ||| features ||| score`")
        ->type_name("N")
        ->check(CLI::Range(1, 1024));
  }
  if (verb.name == "score") {
    add_path(app, "--src", line.source_file, "sources, a line each; without --src and --tgt stdin has lines src<TAB>tgt")
        ->type_name("FILE");
    add_path(app, "--tgt", line.target_file, "targets, a line each")->type_name("FILE");
  }
  if (verb.name == "evaluate") {
    add_path(app, "--config", line.config_files,
             "YAML files: the model of run_dir, the files of data.valid, sections decoding and precision")
        ->type_name("FILE...");
    add_path(app, "--src", line.source_file, "sources for --model, a line each")->type_name("FILE");
    add_path(app, "--hyp", line.hypotheses, "output to judge, a line a sentence, detokenised")->type_name("FILE");
    add_path(app, "--hyp2", line.second_hypotheses, "another system's output, for a paired bootstrap of both")->type_name("FILE");
    add_path(app, "--ref", line.references, "references, a line for each of --hyp or --src; several files are several references")
        ->type_name("FILE...");
    app.add_option("--metrics", line.metrics, "any of bleu, chrf, chrf++, ter; bleu,chrf,ter")->type_name("NAME,...")->delimiter(',');
    app.add_option("--tokenize", line.tokenizer,
                   "how BLEU finds words: 13a, intl, zh, char or none; validation.tokenize of --config, else 13a")
        ->type_name("NAME");
  }
  if (verb.name == "prepare")
    add_path(app, "--out", line.out, "the folder to write; what it holds of an earlier preparation is replaced")->type_name("DIR");
  if (verb.name == "export") {
    add_path(app, "--model", line.model, "a run directory, one of its checkpoints or an exported model")->type_name("DIR");
    app.add_option("--format", line.format, "weft; huggingface and ctranslate2 are not supported yet")->type_name("NAME");
    add_path(app, "--out", line.out, "the folder to write: a name that is free, or an empty folder")->type_name("DIR");
  }
  if (verb.name == "inspect") {
    add_path(app, "path", line.path, "a checkpoint, an exported model, a run directory or a prepared folder")->type_name("PATH");
    app.add_flag("--json", line.json, "one JSON object a line");
  }
  if (verb.name == "plan") {
    app.add_option("--ranks", line.ranks, "ranks of the job")->type_name("N")->check(CLI::Range(1, 1 << 20));
    app.add_option("--device-memory", line.device_memory_gb, "GB of each device")->type_name("GB")->check(CLI::PositiveNumber);
    app.add_flag("--json", line.json, "one JSON object a line");
  }
}

[[noreturn]] void unknown_option(const CLI::App& app, const std::string& verb, const std::string& given) {
  std::vector<std::string> names;
  for (const CLI::Option* option : app.get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  const std::string name = given.substr(0, given.find('='));
  if (verb == "train" && name == "--profile") fail_input(verb + " " + name + ": not supported yet");
  fail_input(problem_text({.what = name.starts_with("-") ? "unknown option of " + verb : "unexpected argument of " + verb,
                           .found = given,
                           .expected = "weft " + verb + " --help lists what there is",
                           .nearest = nearest_name(name, names).value_or("")}));
}

const Verb& verb_of(const std::string& name) {
  const Verb* verb = find_verb(name);
  if (verb == nullptr) {
    std::vector<std::string> names;
    for (const Verb& known : verbs()) names.push_back(known.name);
    const bool option = name.starts_with("-");
    fail_input(problem_text({.what = option ? "an option before the verb" : "unknown verb",
                             .found = name,
                             .expected = option ? "weft VERB [options]" : "a verb; weft --help lists them",
                             .nearest = nearest_name(name, names).value_or("")}));
  }
  if (!verb->is_built() && !verb->takes_config)
    fail_input(problem_text({.what = name + ": not supported yet", .expected = "a verb of weft --help"}));
  return *verb;
}

}  // namespace

CommandLine parse_command_line(const std::vector<std::string>& arguments) {
  if (arguments.size() == 2 && arguments[0] == "help") return parse_command_line({arguments[1], "--help"});
  CommandLine line;
  if (arguments.empty() || arguments[0] == "--help" || arguments[0] == "-h" || arguments[0] == "help") {
    if (arguments.empty()) fail_input("no verb\n\n" + general_help());
    line.message = general_help();
    return line;
  }
  if (arguments[0] == "--version") {
    line.message = std::string("weft ") + kVersion + "\n";
    return line;
  }
  const Verb& verb = verb_of(arguments[0]);
  line.verb = verb.name;
  CLI::App app("weft " + verb.name + ": " + verb.summary, "weft " + verb.name);
  app.allow_extras();
  add_options(app, verb, line);
  auto end = arguments.end();
  if (verb.name == "launch") {
    end = std::find(arguments.begin(), arguments.end(), "--");
    if (end != arguments.end()) line.command.assign(end + 1, arguments.end());
  }
  std::vector<std::string> reversed(std::make_reverse_iterator(end), arguments.rend() - 1);  // the order CLI11 wants
  try {
    app.parse(reversed);
  } catch (const CLI::CallForHelp&) {
    line.message = app.help();
    return line;
  } catch (const CLI::ParseError& error) {
    fail_input(verb.name + ": " + error.what());
  }
  if (const auto extra = app.remaining(); !extra.empty()) unknown_option(app, verb.name, extra.front());
  return line;
}

}  // namespace weft

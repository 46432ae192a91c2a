#include "launcher/command_line.h"

#include <algorithm>
#include <memory>
#include <optional>
#include <span>

#include <fmt/format.h>

#include "launcher/input/problem.h"
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
  for (const Verb& verb : verbs()) text += fmt::format("  {:<12}{}\n", verb.name, verb.summary);
  return text;
}

const Verb& verb_of(const std::string& name) {
  std::vector<std::string> names = later_verbs();
  if (std::ranges::count(names, name) > 0)
    fail_input(problem_text({.what = name + ": not supported yet", .expected = "a verb of weft --help"}));
  for (const Verb& verb : verbs()) {
    if (verb.name == name) return verb;
    names.push_back(verb.name);
  }
  const bool option = name.starts_with("-");
  fail_input(problem_text({.what = option ? "an option before the verb" : "unknown verb",
                           .found = name,
                           .expected = option ? "weft VERB [options]" : "a verb; weft --help lists them",
                           .nearest = nearest_name(name, names).value_or("")}));
}

bool asks_for_help(const std::string& word) {
  return word == "help" || word == "--help" || word == "-h";
}

Action print(std::string text) {
  return [text = std::move(text)] {
    fmt::print("{}", text);
    return static_cast<int>(ExitCode::kDone);
  };
}

}  // namespace

Action parse_command_line(const std::vector<std::string>& arguments) {
  if (arguments.empty()) fail_input("no verb\n\n" + general_help());
  const std::string& first = arguments.front();
  const std::span rest = std::span(arguments).subspan(1);
  if (asks_for_help(first)) {
    if (rest.empty() || asks_for_help(rest.front())) return print(general_help());
    std::vector<std::string> about(rest.begin(), rest.end());
    about.emplace_back("--help");
    return parse_command_line(about);
  }
  if (first == "--version") {
    if (!rest.empty()) fail_input(problem_text({.what = "unexpected argument of --version", .found = rest.front()}));
    return print(std::string("weft ") + kVersion + "\n");
  }
  const Verb& verb = verb_of(first);
  Options options(verb.name, verb.summary);
  Action action = verb.declare(options);
  const std::optional<std::string> help = options.parse(rest);
  return help ? print(*help) : action;
}

}  // namespace weft

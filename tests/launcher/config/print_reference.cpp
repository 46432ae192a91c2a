// docs/reference.md and the table of docs/coming_from.md, made from the tables that the parser uses:
//   build/release/tests/launcher/print_reference > docs/reference.md
//   build/release/tests/launcher/print_reference names
#include <map>
#include <string>
#include <string_view>

#include <fmt/format.h>

#include "launcher/config/config.h"
#include "launcher/config/keys/aliases.h"
#include "launcher/config/keys/tables.h"
#include "launcher/verbs.h"

namespace {

void print_verbs() {
  fmt::print("| verb | what it does |\n|---|---|\n");
  for (const weft::Verb& verb : weft::verbs()) {
    fmt::print("| `{}` | {} |\n", verb.name, verb.summary);
  }
}

/// A column for each preset, a row for each key that one of them changes.
void print_presets() {
  const weft::Config defaults;
  std::string head = "| key | default |", rule = "|---|---|";
  std::vector<weft::Config> presets;
  for (const std::string& name : weft::preset_names()) {
    if (name.ends_with("-prenorm")) continue;
    presets.push_back(weft::parse_config("task: translation\npreset: " + name, "print_reference", weft::ConfigUse::kRead).config);
    head += fmt::format(" `{}` |", name);
    rule += "---|";
  }
  fmt::print("{}\n{}\n", head, rule);
  for (const weft::Section& section : weft::sections()) {
    if (section.name.empty()) continue;
    for (const weft::Key& key : section.keys) {
      std::string row = fmt::format("| `{}.{}` | `{}` |", section.name, key.name, key.write(defaults));
      bool changed = false;
      for (const weft::Config& preset : presets) {
        changed = changed || key.write(preset) != key.write(defaults);
        row += fmt::format(" `{}` |", key.write(preset));
      }
      if (changed) fmt::print("{}\n", row);
    }
  }
}

void print_names() {
  std::map<std::string, std::string> theirs;
  for (const auto& [name, foreign] : weft::foreign_names()) {
    std::string& names = theirs[foreign.key];
    if (foreign.kind == weft::ForeignName::Kind::kSame) names += fmt::format("{}`{}`", names.empty() ? "" : ", ", name);
  }
  fmt::print("| key | also accepted as |\n|---|---|\n");
  for (const auto& [key, names] : theirs) {
    if (!names.empty()) fmt::print("| `{}` | {} |\n", key, names);
  }
}

}  // namespace

int main(int count, char** words) {
  if (count > 1 && std::string_view(words[1]) == "names") {
    print_names();
    return 0;
  }
  fmt::print(
      "# Every verb, key and preset\n\nThe reference of the command line and the configuration. `print_reference` makes this page from "
      "the tables that\nthe parser uses; a test compares them.\n\n## Verbs\n\n");
  print_verbs();
  fmt::print(
      "\n`weft VERB --help` lists the options of a verb.\n\n## Presets\n\nA preset sets the keys of this table. Keys in your own file and "
      "`--set` override it. `-prenorm` after a name, for\nexample `transformer-base-prenorm`, also sets `model.norm_position: pre`.\n\n");
  print_presets();
  fmt::print("\n{}", weft::key_reference());
}

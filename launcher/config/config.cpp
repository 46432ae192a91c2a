#include "launcher/config/config.h"

#include <fmt/format.h>

#include "launcher/config/keys/tables.h"

namespace weft {

std::string dump_config(const Config& config) {
  std::string text;
  for (const Section& section : sections()) {
    if (!section.name.empty()) text += section.name + ":\n";
    const std::string indent = section.name.empty() ? "" : "  ";
    for (const Key& key : section.keys) text += fmt::format("{}{}: {}\n", indent, key.name, key.write(config));
  }
  return text;
}

std::vector<std::string> decoding_sets(const Config& config) {
  std::vector<std::string> sets{fmt::format("seed={}", config.seed)};
  for (const Section& section : {decoding_section(), precision_section()}) {
    for (const Key& key : section.keys) sets.push_back(fmt::format("{}.{}={}", section.name, key.name, key.write(config)));
  }
  return sets;
}

std::string key_reference() {
  std::string text;
  for (const Section& section : sections()) {
    text += fmt::format("## {}\n\n{}\n\n| key | default | values | meaning |\n|---|---|---|---|\n",
                        section.name.empty() ? "Above the sections" : section.name, section.help);
    for (const Key& key : section.keys) {
      if (!key.built) continue;
      text += fmt::format("| `{}` | `{}` | {} | {} |\n", key.name, key.write(Config{}), key.values, key.help);
    }
    text += '\n';
  }
  return text;
}

}  // namespace weft

#include <algorithm>
#include <map>
#include <set>

#include <fmt/format.h>

#include "launcher/config/checks.h"
#include "launcher/config/keys/aliases.h"
#include "launcher/config/keys/names.h"
#include "launcher/config/keys/tables.h"
#include "launcher/input/yaml_sources.h"
#include "runtime/error.h"

namespace weft {
namespace {

/// Reads sources one after another into one configuration and collects what is wrong with them.
class ConfigReader {
 public:
  std::vector<Problem> problems;

  void apply_preset(const std::vector<YamlNode>& roots);
  void read(const YamlNode& root);
  LoadedConfig finish(ConfigUse, const Location& nowhere);

 private:
  void read_section(const Section&, const YamlNode& map);
  void read_key(const Section&, const YamlNode& name, const YamlNode& value);
  void read_foreign(const YamlNode& name, const YamlNode& value, const ForeignName&);
  void store(const Key&, const std::string& path, const YamlNode& name, const YamlNode& value);
  void remember(const std::string& path, const Location&, const YamlNode& value);
  void report(Problem, const YamlNode& name, const YamlNode& value, const std::string& path);
  void check(const std::vector<Conflict>&, const Location& nowhere);

  Config config_, defaults_;  // defaults_: built in, then the preset's
  std::vector<std::string> set_keys_, notes_;
  std::map<std::string, Location> origins_;  // of every value that a source set
  std::map<std::string, Location> seen_;     // in the source being read
  std::set<std::string> failed_;             // keys in trouble; section.* when a name in it was not known
};

std::string join(const std::string& section, const std::string& name) {
  return section.empty() ? name : section + "." + name;
}

/// At most 120 bytes, whole characters of UTF-8.
std::string shortened(const std::string& text) {
  std::size_t end = 117;
  if (text.size() <= 120) return text;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end) + "...";
}

void ConfigReader::apply_preset(const std::vector<YamlNode>& roots) {
  std::string preset;
  for (const YamlNode& root : roots) {
    for (std::size_t i = 0; i < root.keys.size(); ++i) {
      if (plain_name(root.keys[i].scalar) != "preset") continue;
      if (root.items[i].kind == YamlNode::Kind::kNull) preset.clear();
      read_preset(root.items[i], preset);  // a wrong name is reported when its source is read
    }
  }
  if (preset.empty()) return;
  const auto root = parse_yaml(preset_text(preset), "preset " + preset, problems);
  if (root) read(*root);
  defaults_ = config_;
}

void ConfigReader::report(Problem problem, const YamlNode& name, const YamlNode& value, const std::string& path) {
  if (problem.path.empty()) {
    problem.at = name.at;
    problem.path = path;
    const std::string found = problem.found.empty() ? flow_text(value) : problem.found;
    problem.found = name.scalar + ": " + found;
  }
  problem.found = shortened(problem.found);
  failed_.insert(path);
  problems.push_back(std::move(problem));
}

void ConfigReader::remember(const std::string& path, const Location& at, const YamlNode& value) {
  origins_[path] = at;
  for (std::size_t i = 0; i < value.items.size(); ++i) {
    const bool is_map = value.kind == YamlNode::Kind::kMap;
    remember(is_map ? path + "." + value.keys[i].scalar : fmt::format("{}[{}]", path, i), is_map ? value.keys[i].at : value.items[i].at,
             value.items[i]);
  }
}

void ConfigReader::store(const Key& key, const std::string& path, const YamlNode& name, const YamlNode& value) {
  if (const auto [earlier, first] = seen_.emplace(path, name.at); !first) {
    return report({.what = "given twice", .expected = fmt::format("once; the first is at {}", earlier->second.text())}, name, value, path);
  }
  if (name.at.source == kSetSource) set_keys_.push_back(path);
  if (value.kind == YamlNode::Kind::kNull) {
    key.copy(config_, defaults_);
    origins_.erase(path);
    return;
  }
  remember(path, name.at, value);
  if (auto problem = key.read(value, config_)) report(std::move(*problem), name, value, path);
}

void ConfigReader::read_foreign(const YamlNode& name, const YamlNode& value, const ForeignName& foreign) {
  const std::string plain = plain_name(name.scalar);
  if (foreign.kind == ForeignName::Kind::kSame) {
    const std::size_t before = problems.size();
    store(*find_key(foreign.key).second, foreign.key, name, value);
    if (problems.size() > before) problems.back().found = name.scalar + ": " + flow_text(value);  // as the user wrote it
    notes_.push_back(fmt::format("{}: {}: {} is read as {}: {}", name.at.text(), plain, flow_text(value), foreign.key, flow_text(value)));
    return;
  }
  std::string expected = foreign.expected;
  if (const std::size_t at = expected.find("VALUE"); at != std::string::npos) expected.replace(at, 5, shortened(flow_text(value)));
  failed_.insert(foreign.key);
  const bool form = foreign.kind == ForeignName::Kind::kForm;
  report({.what = form ? "has another form in Weft" : "has another meaning elsewhere, so it is not guessed", .expected = expected}, name,
         value, plain);
}

void ConfigReader::read_key(const Section& section, const YamlNode& name, const YamlNode& value) {
  const std::string plain = plain_name(name.scalar), path = join(section.name, plain);
  if (name.kind != YamlNode::Kind::kScalar) {
    problems.push_back({.at = name.at, .path = section.name, .what = "not a key", .found = flow_text(name), .expected = "a name"});
    return;
  }
  const auto foreign = foreign_names().find(plain);
  if (foreign != foreign_names().end()) return read_foreign(name, value, foreign->second);
  if (const auto [found, key] = find_key(path); key != nullptr) return store(*key, path, name, value);
  failed_.insert(join(section.name, "*"));
  const auto& reserved = reserved_keys();
  if (std::count(reserved.begin(), reserved.end(), path) > 0) return report({.what = "not supported yet"}, name, value, path);
  report({.what = "unknown key",
          .expected = section.name.empty() ? "a section or a key above the sections" : "a key of section " + section.name,
          .nearest = nearest_key(section, plain)},
         name, value, path);
}

void ConfigReader::read_section(const Section& section, const YamlNode& map) {
  for (std::size_t i = 0; i < map.keys.size(); ++i) read_key(section, map.keys[i], map.items[i]);
}

void ConfigReader::read(const YamlNode& root) {
  seen_.clear();
  if (root.kind == YamlNode::Kind::kNull) return;
  if (root.kind != YamlNode::Kind::kMap) {
    problems.push_back({.at = root.at, .what = "not a configuration", .found = shortened(flow_text(root)), .expected = "key: value"});
    failed_.insert({"task", "*"});
    return;
  }
  const Section& top = sections().front();
  for (std::size_t i = 0; i < root.keys.size(); ++i) {
    const YamlNode &name = root.keys[i], &value = root.items[i];
    const Section* section = name.scalar.empty() ? nullptr : find_section(plain_name(name.scalar));
    if (section == nullptr) {
      read_key(top, name, value);
    } else if (const auto [earlier, first] = seen_.emplace(section->name, name.at); !first) {
      report({.what = "given twice", .expected = fmt::format("once; the first is at {}", earlier->second.text())}, name, value,
             section->name);
    } else if (value.kind == YamlNode::Kind::kMap) {
      read_section(*section, value);
    } else if (value.kind != YamlNode::Kind::kNull) {
      report({.what = "not a section", .expected = "keys of section " + section->name}, name, value, section->name);
    }
  }
}

void ConfigReader::check(const std::vector<Conflict>& conflicts, const Location& nowhere) {
  for (const Conflict& conflict : conflicts) {
    const auto failed = [&](const std::string& key) { return failed_.contains(key); };
    if (std::any_of(conflict.keys.begin(), conflict.keys.end(), failed)) continue;  // only the consequence of what is reported already
    Problem problem = conflict.problem;
    const auto origin = origins_.find(conflict.keys.front());
    problem.at = origin != origins_.end() ? origin->second : nowhere;
    problems.push_back(std::move(problem));
  }
}

LoadedConfig ConfigReader::finish(ConfigUse use, const Location& nowhere) {
  check(check_values(config_), nowhere);
  std::vector<Conflict> unmet = check_needs(config_, defaults_);
  if (use == ConfigUse::kStored) {  // what a run was made with is past; what is set now is not
    std::erase_if(unmet, [&](const Conflict& conflict) { return origins_[conflict.keys.front()].source != kSetSource; });
  }
  check(unmet, nowhere);
  check(check_use(config_, use), nowhere);
  if (!problems.empty()) fail_input(problems_text(problems));
  return {config_, set_keys_, notes_};
}

LoadedConfig load(ConfigReader& loader, std::vector<YamlNode> roots, const std::vector<std::string>& sets, ConfigUse use,
                  const Location& nowhere) {
  // What is missing only because a file could not be read is not worth a line.
  if (!loader.problems.empty()) fail_input(problems_text(loader.problems));
  for (const std::string& set : sets) {
    if (auto root = parse_set(set, loader.problems)) roots.push_back(std::move(*root));
  }
  loader.apply_preset(roots);
  for (const YamlNode& root : roots) loader.read(root);
  return loader.finish(use, nowhere);
}

}  // namespace

LoadedConfig load_config(const std::vector<std::string>& files, const std::vector<std::string>& sets, ConfigUse use) {
  ConfigReader loader;
  std::vector<YamlNode> roots;
  for (const std::string& file : files) {
    if (auto root = read_file(file, loader.problems)) roots.push_back(std::move(*root));
  }
  return load(loader, std::move(roots), sets, use, {files.empty() ? "" : files.back()});
}

LoadedConfig parse_config(const std::string& text, const std::string& name, ConfigUse use, const std::vector<std::string>& sets) {
  ConfigReader loader;
  std::vector<YamlNode> roots;
  if (auto root = parse_yaml(text, name, loader.problems)) roots.push_back(std::move(*root));
  return load(loader, std::move(roots), sets, use, {name});
}

}  // namespace weft

#include "launcher/input/yaml_sources.h"

#include <algorithm>
#include <filesystem>
#include <fstream>

#include "launcher/input/missing_file.h"

namespace weft {

std::optional<YamlNode> read_file(const std::string& file, std::vector<Problem>& problems) {
  const auto refuse = [&](std::string what, std::string nearest = {}) {
    problems.push_back({.at = {file}, .what = std::move(what), .expected = "a YAML file", .nearest = std::move(nearest)});
    return std::nullopt;
  };
  std::error_code error;
  const auto type = std::filesystem::status(file, error).type();
  if (type == std::filesystem::file_type::not_found) return refuse("no such file" + seen_from(file), nearest_file(file));
  if (type == std::filesystem::file_type::directory) return refuse("a folder");
  std::ifstream in(file, std::ios::binary);
  std::string text;
  for (char block[65536]; text.size() <= (1 << 20) && (in.read(block, sizeof block), in.gcount() > 0);) {
    text.append(block, static_cast<std::size_t>(in.gcount()));
  }
  if (!in.is_open() || in.bad()) return refuse("cannot be read");
  return parse_yaml(text, file, problems);
}

namespace {

void move_to(YamlNode& node, const Location& at) {
  node.at = at;
  for (YamlNode& key : node.keys) move_to(key, at);
  for (YamlNode& item : node.items) move_to(item, at);
}

}  // namespace

std::optional<YamlNode> parse_set(const std::string& set, std::vector<Problem>& problems) {
  const Location at{kSetSource};
  const std::size_t equals = set.find('=');
  const std::string path = set.substr(0, std::min(equals, set.size()));
  if (equals == std::string::npos || path.empty()) {
    problems.push_back({.at = at, .what = "not section.key=value", .found = set, .expected = "training.train_steps=100K"});
    return std::nullopt;
  }
  std::vector<Problem> faults;
  const auto value = parse_yaml(set.substr(equals + 1), kSetSource, faults);
  for (Problem& fault : faults) problems.push_back({.at = at, .path = path, .what = fault.what, .found = set});
  if (!value) return std::nullopt;
  const std::size_t dot = path.rfind('.');
  YamlNode node = *value;
  move_to(node, at);
  node = YamlNode::map({YamlNode::text(dot == std::string::npos ? path : path.substr(dot + 1), at)}, {node}, at);
  if (dot != std::string::npos) node = YamlNode::map({YamlNode::text(path.substr(0, dot), at)}, {node}, at);
  return node;
}

}  // namespace weft

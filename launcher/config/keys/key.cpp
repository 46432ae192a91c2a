#include "launcher/config/keys/key.h"

#include <algorithm>

#include <fmt/format.h>

#include "launcher/input/unexpanded_path.h"

namespace weft {

Key on_change(Change change, Key key) {
  key.change = change;
  return key;
}

std::vector<Key> on_change(Change change, std::vector<Key> keys) {
  for (Key& key : keys) key.change = key.change.value_or(change);
  return keys;
}

Problem not_a(std::string what, const YamlNode& found, std::string expected, std::string nearest) {
  return {.what = std::move(what), .found = flow_text(found), .expected = std::move(expected), .nearest = std::move(nearest)};
}

Problem not_supported_yet(const YamlNode& found, std::string expected) {
  return not_a("not supported yet", found, std::move(expected));
}

ReadResult read_bool(const YamlNode& node, bool& value) {
  if (!node.plain("true") && !node.plain("false")) return not_a("not true or false", node, "true or false");
  value = node.scalar == "true";
  return std::nullopt;
}

ReadResult read_text(const YamlNode& node, std::string& value) {
  if (node.kind != YamlNode::Kind::kScalar) return not_a("not a text", node, "one text, not " + std::string(node.kind_name()));
  if (node.scalar.empty()) return not_a("empty", node, "a text, or null for the default");
  value = node.scalar;
  return std::nullopt;
}

ReadResult read_path(const YamlNode& node, std::string& value) {
  if (auto problem = read_text(node, value)) return problem;
  const std::optional<std::string> expanded = expanded_form(value);
  if (!expanded) return std::nullopt;
  return not_a("a path that is not expanded here", node, *expanded);
}

std::string one_of(const std::vector<std::string>& words) {
  std::string text;
  for (std::size_t i = 0; i < words.size(); ++i) {
    if (i > 0) text += i + 1 == words.size() ? " or " : ", ";
    text += words[i];
  }
  return text;
}

Problem wrong_word(const YamlNode& node, const std::vector<std::string>& words, const std::vector<std::string>& later) {
  if (node.kind == YamlNode::Kind::kScalar && std::count(later.begin(), later.end(), node.scalar) > 0) {
    return not_supported_yet(node, one_of(words));
  }
  std::vector<std::string> all = words;
  all.insert(all.end(), later.begin(), later.end());
  return not_a("unknown value", node, one_of(words), nearest_name(node.scalar, all).value_or(""));
}

Key fixed(std::string name, std::string value, std::vector<std::string> later, std::string help) {
  const auto read = [value, later](const YamlNode& node, Config&) -> ReadResult {
    double wanted = 0, given = 0;  // 1 and 1.0 are the same number
    const auto number = [](const YamlNode& n, double& to) { return !read_real(n, {.least = -1e300}, to); };
    const bool same_number = number(YamlNode::text(value, {}), wanted) && number(node, given) && wanted == given;
    if (node.plain(value) || same_number || flow_text(node) == value) return std::nullopt;
    return later.empty() ? not_supported_yet(node, value) : wrong_word(node, {value}, later);
  };
  return {.name = std::move(name),
          .values = value,
          .help = std::move(help),
          .built = false,
          .read = read,
          .write = [value](const Config&) { return value; },
          .copy = [](Config&, const Config&) {}};
}

}  // namespace weft

#pragma once
#include <optional>
#include <string>
#include <vector>

#include "launcher/input/problem.h"

namespace weft {

/// A parsed YAML value with where it stands and how it was written. Maps keep order and duplicates; nothing is converted.
struct YamlNode {
  enum class Kind { kNull, kScalar, kList, kMap } kind = Kind::kNull;
  std::string scalar;
  bool quoted = false;
  Location at;
  std::vector<YamlNode> keys;   // of a map, one for each item
  std::vector<YamlNode> items;  // of a list or map

  static YamlNode text(std::string scalar, Location at) { return {.kind = Kind::kScalar, .scalar = std::move(scalar), .at = at}; }
  static YamlNode map(std::vector<YamlNode> keys, std::vector<YamlNode> items, Location at) {
    return {.kind = Kind::kMap, .at = at, .keys = std::move(keys), .items = std::move(items)};
  }

  bool plain(std::string_view word) const { return kind == Kind::kScalar && !quoted && scalar == word; }
  /// Name of the kind, for messages: nothing, a value, a list, a map.
  std::string_view kind_name() const;
};

/// The value on one line, as YAML would read it back.
std::string flow_text(const YamlNode&);
/// A text as a YAML scalar: quoted where it needs to be.
std::string yaml_scalar(const std::string& text);

/// One YAML document. Anchors are expanded. Refused: more than 1 MiB, nesting deeper than 20, more than 10,000 values after the
/// expansion, explicit tags, a second document, tabs in the indentation. A problem is added to `problems` and nothing is returned.
std::optional<YamlNode> parse_yaml(const std::string& text, const std::string& file, std::vector<Problem>& problems);

}  // namespace weft

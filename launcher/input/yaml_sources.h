#pragma once
#include <optional>
#include <string>
#include <vector>

#include "launcher/input/yaml_node.h"

namespace weft {

/// The source of what --set gives.
inline constexpr const char* kSetSource = "--set";

/// A configuration file as a tree; a problem and nothing when it is not there, not readable or not YAML.
std::optional<YamlNode> read_file(const std::string& file, std::vector<Problem>& problems);

/// `section.key=value` as the map a file would hold; the value is YAML. Everything in it stands at "--set".
std::optional<YamlNode> parse_set(const std::string& set, std::vector<Problem>& problems);

}  // namespace weft

#pragma once
#include <optional>
#include <string>
#include <vector>

#include "launcher/config/config.h"
#include "launcher/input/yaml_node.h"

namespace weft {

/// A key of ours that a name from elsewhere stands for.
struct Rewrite {
  std::string path;  // model.num_layers
  YamlNode value;
  std::string once;  // what may be given only once in a file: the path, or one stack of it
};

/// What becomes of a name from elsewhere: keys of ours, or a refusal with the conversion.
struct Conversion {
  std::vector<Rewrite> rewrites;
  std::optional<Problem> problem;
  bool noam = false;  // the learning rate is a factor: peak = factor / sqrt(hidden_size x warmup_steps)
};

/// Empty for a name that is none of theirs. `name` has underscores and no leading dashes; `current` is the configuration so far.
std::optional<Conversion> translate_name(const std::string& name, const YamlNode& value, const Config& current);

/// Their names, for the nearest one, and the key of ours each stands for ("" where it is not one key).
std::vector<std::pair<std::string, std::string>> foreign_names();

}  // namespace weft

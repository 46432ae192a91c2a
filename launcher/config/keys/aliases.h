#pragma once
#include <map>
#include <string>

namespace weft {

/// What a name from elsewhere stands for.
struct ForeignName {
  enum class Kind {
    kSame,     // as `key`, under another name: read
    kForm,     // as `key`, but its value is written otherwise: refused
    kMeaning,  // looks familiar and means something else: refused
  } kind;
  std::string key;       // ours: model.num_layers; empty: not one key
  std::string expected;  // of a refusal: what to write, where VALUE stands for the value
};

/// By their names, with underscores and without leading dashes.
const std::map<std::string, ForeignName>& foreign_names();

}  // namespace weft

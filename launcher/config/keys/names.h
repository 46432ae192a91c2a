#pragma once
#include <string>
#include <string_view>
#include <utility>

#include "launcher/config/keys/key.h"

namespace weft {

/// A hyphen equals an underscore, and leading dashes are ignored.
std::string plain_name(std::string_view name);

/// nullptr when there is none.
const Section* find_section(const std::string& name);
/// The key of `section.key`, or of `key` above the sections; two nullptr when there is none.
std::pair<const Section*, const Key*> find_key(const std::string& path);

/// What a wrong name most likely meant: a key of its section, then any section or key, then a name from elsewhere. Empty: nothing near.
std::string nearest_key(const Section&, const std::string& name);

}  // namespace weft

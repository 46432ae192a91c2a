#pragma once
#include "launcher/config/keys/aliases.h"

namespace weft {

/// Names from elsewhere whose value has another form: converted. Empty for any other name.
std::optional<Conversion> translate_form(const std::string& name, const YamlNode& value, const Config& current);
std::vector<std::string> form_names();

}  // namespace weft

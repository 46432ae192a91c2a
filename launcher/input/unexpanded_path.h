#pragma once
#include <optional>
#include <string>

namespace weft {

/// A path that a shell would expand, and nothing else does: one that begins with `~` or holds $NAME or ${NAME}. Taken as it is, it would
/// make a folder called "~". Returns what to write instead; nothing where the path is plain.
std::optional<std::string> expanded_form(const std::string& path);

}  // namespace weft

#pragma once
#include <filesystem>
#include <string>

namespace weft {

/// What is told of a file that is not there: the name beside it that is most like it; empty: none is.
std::string nearest_file(const std::filesystem::path&);
/// Where a relative path was looked for, since it may be right and the folder it starts at wrong: `, in the working directory /x`.
std::string seen_from(const std::filesystem::path&);

}  // namespace weft

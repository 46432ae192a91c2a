#pragma once
#include <filesystem>
#include <string>

namespace weft {

/// The most similar name in the folder of a file that is not there, for the message; empty: none is similar.
std::string nearest_file(const std::filesystem::path&);
/// Where a relative path was looked for, since the path may be right and the folder it starts from wrong: `, in the working directory /x`.
std::string seen_from(const std::filesystem::path&);

}  // namespace weft

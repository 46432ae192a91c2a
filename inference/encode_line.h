#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "data/vocabulary/vocabulary.h"

namespace weft {

using Warn = std::function<void(const std::string&)>;

/// The ids of a line of text, without bos and eos and at most max_length - 1 of them. Broken UTF-8 is repaired and a line that is too long
/// is cropped, each with a warning that begins with `where`: "line 7".
std::vector<std::int32_t> encode_line(const Vocabulary&, const std::string& line, std::int64_t max_length, const std::string& where,
                                      const Warn&);

}  // namespace weft

#pragma once
#include <string>
#include <vector>

#include "data/prepare/prepare.h"
#include "data/text/file_contents.h"
#include "runtime/files/json.h"

namespace weft {

/// All that decides what a preparation makes: settings, and the content of the files. Equal for equal input, whatever the files are called.
Json made_from(const PrepareConfig&, FileContents&);

/// A text that is named twice, or validates what it trains on, or is its own translation: each one a warning.
std::vector<std::string> repeated_texts(const PrepareConfig&, FileContents&);

}  // namespace weft

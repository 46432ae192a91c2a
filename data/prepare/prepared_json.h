#pragma once
#include <string>

#include "data/prepare/sentence_filter.h"
#include "runtime/files/json.h"

namespace weft {

inline constexpr int kPreparedFormat = 1;

/// FOLDER/prepared.json: {format, shared_vocabulary, made_from, train, valid (accounts), files (bytes and xxh3 of each)}. A missing or
/// damaged file is an error.
Json read_prepared_json(const std::string& folder);

Json to_json(const PrepareAccount&);
PrepareAccount account_from_json(const Json&);

}  // namespace weft

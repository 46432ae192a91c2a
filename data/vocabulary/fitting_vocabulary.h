#pragma once
#include <string>

#include "data/data_config.h"

namespace weft {

/// Fails with exit 64 where the vocabulary in a file is not one that the settings would give, naming each that differs: its type and size,
/// and of a SentencePiece model how it was learned.
void require_fitting_vocabulary(const std::string& path, const VocabConfig&);

}  // namespace weft

#pragma once
#include <string>

#include "data/prepare/prepared.h"
#include "runtime/files/storage.h"

namespace weft {

/// The checkpoint that `path` names: of a run directory the best, else the newest one whose weights are whole; a checkpoint or an exported
/// model itself. `key` is what named it (--model), for the messages. Fails with exit 64 where there is none, 77 where none is whole.
std::string find_model(Storage&, const std::string& path, const std::string& key);

/// Its vocabularies: an exported model has them inside, a checkpoint beside it in the run directory: where it really lies, whatever link
/// or `.` names it.
VocabularyFiles find_vocabularies(const std::string& checkpoint, bool shared);

}  // namespace weft

#pragma once
#include <string>
#include <vector>

#include "data/data_config.h"

namespace weft {

/// Learns a SentencePiece model from text files and writes it to `path` (atomically): unk 0, bos 1, eos 2, no padding. Lines that are not
/// UTF-8 are left out and long ones cut, since the library drops or chokes on them. At most 5,000,000 lines are used, spread evenly over
/// the files. The same files and settings give the same bytes on any machine. A vocabulary that the text cannot fill, or that is too small
/// for its characters, is an error that says what is possible.
void train_vocabulary(const std::vector<std::string>& files, const VocabConfig& config, const std::string& path);

}  // namespace weft

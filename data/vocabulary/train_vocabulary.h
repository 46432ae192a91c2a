#pragma once
#include <string>
#include <vector>

#include "data/data_config.h"
#include "data/text/parallel_text.h"
#include "data/text/text_sample.h"

namespace weft {

/// Learns a vocabulary and returns the content of its file: unk 0, bos 1, eos 2, no padding. Lines that are not UTF-8 are left out, or
/// repaired. Of long corpora a sample is used (text_sample.h). The same files and settings give the same bytes on any machine. A vocabulary
/// that the text cannot fill, or that is too small for its characters, is an error that says what is possible.
///   SentencePiece   its model. Lines are cut at 4192 bytes, since the library drops or chokes on longer ones
///   words           by falling frequency, of equals by their bytes
///   characters      the blank, then as words
///   bytes           the 256 bytes; the text and vocab_size do not matter
std::string learn_vocabulary(const std::vector<TextColumn>&, const VocabConfig&, const SampleLimits& = {});
/// The same, written to `path`, which appears when it is whole.
void train_vocabulary(const std::vector<TextColumn>&, const VocabConfig&, InvalidUtf8, const std::string& path);

/// The library's name of a rule, which is that of the configuration too.
std::string name_of(TextNormalization);

}  // namespace weft

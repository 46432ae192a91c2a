#pragma once
#include <string>
#include <vector>

#include "data/data_config.h"
#include "data/prepare/encode_corpus.h"
#include "data/prepare/prepared.h"
#include "data/prepare/sentence_filter.h"

namespace weft {

struct PrepareConfig {
  DataConfig data;
  VocabConfig vocab;
  LengthLimits limits;    // model.max_length of both stacks
  std::string folder;     // created when missing; what an earlier preparation wrote is replaced, but for training data that stay
  VocabularyFiles ready;  // vocabularies that lie ready outside of the folder, though no key names them; empty names: none
};

struct PrepareReport {
  PrepareAccount train, valid;
  std::vector<CorpusReport> corpora;  // each of data.train, then data.valid
  std::vector<std::string> warnings;  // of all of them
};

/// "train: 201 pairs, ...", and "valid: ..." where there is one; of several training texts also a line for each.
std::vector<std::string> account_of(const PrepareReport&);

/// Turns parallel text into a prepared folder:
///   vocab.model (shared) or vocab.src.model and vocab.tgt.model   learned from the training text, or copies of the given ones; of any type
///   train/  valid/          a Dataset each; of several training corpora one after the other
///   valid/text.src, text.tgt    the validation lines as text, also those dropped: what BLEU is computed on
///   prepared.json           written last, with the checksum of every file; without it the folder does not count
/// All of it is written beside and renamed when it is whole: what the folder held stays valid until then, and a preparation that is killed
/// is done again. Files that no preparation wrote are never replaced: a vocabulary among them is used where it fits the settings, and
/// anything else is an error. Sentences are encoded by all cores, in the order of the files. The same input gives the same bytes. Memory
/// does not grow with the corpus, but for 8 bytes a pair and what the vocabulary is learned from (text_sample.h). Mistakes in the input are
/// errors that name file and line: unequal line counts, nothing left, more dropped than data.max_skipped allows, and what the policies call
/// errors.
PrepareReport prepare(const PrepareConfig&);

/// What a folder is, compared with what `prepare` would make of a configuration, by the content of the files, not their names.
enum class PreparedState {
  kNone,        // nothing that counts
  kOther,       // of other text or settings
  kDamaged,     // the same, and a file is not as it was written
  kOtherValid,  // the same but for the validation text, which a run may change on its way
  kWhole
};
struct PreparedCheck {
  PreparedState state = PreparedState::kNone;
  std::string damage;             // kDamaged: which file, and why
  std::vector<std::string> read;  // files whose checksum was computed, since their size or times are not those of the last look
};
PreparedCheck check_prepared(const PrepareConfig&);
/// A folder by itself: kWhole or kDamaged.
PreparedCheck check_prepared_folder(const std::string& folder);

/// Whether a vocabulary of the folder was learned with nmt_nfkc, as all were before there was a choice. No such folder: false.
bool learned_with_nmt_nfkc(const std::string& folder);

}  // namespace weft

#pragma once
#include <optional>
#include <string>

#include "data/data_config.h"
#include "data/dataset.h"
#include "data/prepare/sentence_filter.h"
#include "data/vocabulary/vocabulary.h"

namespace weft {

/// A folder written by `prepare`, opened for training.
struct PreparedData {
  Vocabulary source, target;  // the same model twice when it is shared
  bool shared_vocabulary = false;
  Dataset train;
  std::optional<Dataset> valid;
  ParallelText valid_text;  // the validation lines as text; empty names: none
  PrepareAccount train_account, valid_account;
};

/// Refused, by an error that says what to do: a folder whose preparation did not finish, damaged files, data sets that were made with other
/// vocabularies than those beside them, and vocabularies that differ from the ones `vocab` names (fingerprints of both are given).
PreparedData open_prepared(const std::string& folder, const VocabConfig& vocab);

/// The names of the vocabulary files inside a folder.
struct VocabularyFiles {
  std::string source, target;
};
VocabularyFiles vocabulary_files(const std::string& folder, bool shared);

}  // namespace weft

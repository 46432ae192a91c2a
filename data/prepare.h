#pragma once
#include <string>
#include <vector>

#include "data/data_config.h"
#include "data/encode_corpus.h"
#include "data/sentence_filter.h"

namespace weft {

struct PrepareConfig {
  DataConfig data;
  VocabConfig vocab;
  LengthLimits limits;  // model.max_length of both stacks
  std::string folder;   // created when missing; what it holds of an earlier preparation is replaced, but for training data that stay
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
///   prepared.json           written last: without it the folder does not count, so a preparation that was killed is done again
/// Sentences are encoded by all cores, in the order of the files. The same input gives the same bytes. Memory does not grow with the
/// corpus, but for 8 bytes a pair and what the vocabulary is learned from (text_sample.h). Mistakes in the input are errors that name file
/// and line: unequal line counts, nothing left, more dropped than data.max_skipped allows, and what the policies call errors.
PrepareReport prepare(const PrepareConfig&);

/// Whether the folder holds what `prepare` would make of these files and settings, judged by the content of the files, not their names.
bool is_prepared(const PrepareConfig&);

/// The same but for the validation text, which a run may change on its way.
bool is_prepared_for_training(const PrepareConfig&);

/// Whether a vocabulary of the folder was learned with nmt_nfkc, as all were before there was a choice. No such folder: false.
bool learned_with_nmt_nfkc(const std::string& folder);

}  // namespace weft

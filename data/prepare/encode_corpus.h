#pragma once
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "data/prepare/dataset_writer.h"
#include "data/prepare/sentence_filter.h"
#include "data/text/output_file.h"
#include "data/text/parallel_text.h"

namespace weft {

/// What became of one parallel text, and what a reader of it should know.
struct CorpusReport {
  std::string names;  // of its files
  PrepareAccount account;
  std::vector<std::string> warnings;
};

/// Encodes a text by all cores, in the order of its lines, into `writer`. `copy` (if any) gets both sides of every line as text, repaired.
/// In memory are 16,384 pairs or 32 MiB of text at a time, whichever is less. Warned of: Windows line ends, a side of which most tokens are
/// unknown, a target of which the vocabulary normalises more than 1 % of the lines, and sides that fit the vocabularies better the other
/// way round.
CorpusReport encode_corpus(const ParallelText&, const SentenceFilter&, DatasetWriter& writer,
                           std::optional<std::pair<OutputFile&, OutputFile&>> copy);

}  // namespace weft

#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/vocabulary/vocabulary.h"
#include "inference/encode_line.h"
#include "inference/forced_decoding.h"

namespace weft {

/// A line and its translation.
struct LinePair {
  std::string source, target;
};

/// The tokens of both sides, end tokens included, and the log probability (nats) of each of the target's.
struct ScoredPair {
  std::vector<std::int32_t> source, target;
  std::vector<double> log_probs;
};

/// Pairs of lines in, scored pairs out.
class TargetScorer {
 public:
  /// The vocabularies must outlive the scorer. `max_length` is model.max_length, which counts the end token.
  TargetScorer(const SearchProblem&, const Vocabulary& source, const Vocabulary& target, std::int64_t max_length);

  /// An empty side is scored as it is: as nothing but its end token. Broken UTF-8 is repaired and a side that is too long is cropped, each
  /// with a warning that names its line: the first pair is line `first_number`.
  std::vector<ScoredPair> score(Context&, std::span<const LinePair>, std::int64_t first_number, const Warn&) const;

 private:
  SearchProblem problem_;
  const Vocabulary& source_;
  const Vocabulary& target_;
  std::int64_t max_length_;
};

}  // namespace weft

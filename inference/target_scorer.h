#pragma once
#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "data/vocabulary.h"
#include "inference/encode_line.h"
#include "inference/forced_decoding.h"

namespace weft {

/// A line and its translation.
struct LinePair {
  std::string source, target;
};

/// Pairs of lines in; the log probabilities (nats) of the tokens of each target, its end token last, out.
class TargetScorer {
 public:
  /// The vocabularies must outlive the scorer. `max_length` is model.max_length, which counts the end token.
  TargetScorer(const SearchProblem&, const Vocabulary& source, const Vocabulary& target, std::int64_t max_length);

  /// An empty side is scored as it is: as nothing but its end token. Broken UTF-8 is repaired and a side that is too long is cropped, each
  /// with a warning that names its line: the first pair is line `first_number`.
  std::vector<std::vector<double>> score(Context&, std::span<const LinePair>, std::int64_t first_number, const Warn&) const;

 private:
  SearchProblem problem_;
  const Vocabulary& source_;
  const Vocabulary& target_;
  std::int64_t max_length_;
};

}  // namespace weft

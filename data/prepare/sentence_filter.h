#pragma once
#include <cstdint>
#include <string>
#include <vector>

#include "data/data_config.h"
#include "data/text/parallel_text.h"
#include "data/vocabulary/vocabulary.h"

namespace weft {

/// What became of the line pairs of one corpus: lines = kept + the four kinds of dropped ones. A pair counts under the first that applies,
/// in this order.
struct PrepareAccount {
  std::int64_t lines = 0, kept = 0;
  std::int64_t invalid_utf8 = 0, empty = 0, too_long = 0, length_ratio = 0;  // dropped
  std::int64_t repaired = 0, cropped = 0;                                    // kept, changed
  std::int64_t dropped() const { return invalid_utf8 + empty + too_long + length_ratio; }
  friend bool operator==(const PrepareAccount&, const PrepareAccount&) = default;
};
/// "1014 pairs, 1010 kept; dropped: 2 empty, 2 too long; 3 repaired"
std::string describe(const PrepareAccount&);
PrepareAccount& operator+=(PrepareAccount& sum, const PrepareAccount&);

struct EncodedPair {
  std::vector<std::int32_t> source, target;                                                   // without eos
  PrepareAccount account;                                                                     // of this one pair
  std::int64_t source_tokens = 0, source_unknown = 0, target_tokens = 0, target_unknown = 0;  // as encoded, also of a dropped pair
  bool target_changed = false;  // its tokens give another text back, blanks apart: the vocabulary normalises it
};

/// Longest sentences, end token included.
struct LengthLimits {
  std::int64_t source = 256, target = 256;
};

/// Text pairs -> ids, by the policies of section `data`. A policy `error` throws, naming file and line. Constant, so threads may share it.
class SentenceFilter {
 public:
  SentenceFilter(const DataConfig&, const LengthLimits&, const Vocabulary& source, const Vocabulary& target);
  /// `files` names where the pair comes from. kept is 0 or 1.
  EncodedPair encode(TextPair, const ParallelText& files) const;
  const Vocabulary& source() const { return source_; }
  const Vocabulary& target() const { return target_; }

 private:
  bool usable_text(std::string& text, const std::string& place, PrepareAccount&) const;
  bool usable_length(std::vector<std::int32_t>& ids, std::int64_t limit, const std::string& place, PrepareAccount&) const;

  const DataConfig& config_;
  LengthLimits limits_;
  const Vocabulary& source_;
  const Vocabulary& target_;
};

}  // namespace weft
